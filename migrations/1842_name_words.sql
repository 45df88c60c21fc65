-- `auditEvents(filter: { text })`: the words of names are kept, because a name that very many share is looked
-- for row by row, and taking it apart each time took most of the time.
ALTER TABLE read.people
  ADD COLUMN name_words tsvector GENERATED ALWAYS AS (ops.name_words(first_name, last_name)) STORED;
ALTER TABLE read.organizations
  ADD COLUMN name_words tsvector GENERATED ALWAYS AS (ops.words(name)) STORED;
DROP INDEX read.people_name_idx, read.organizations_name_idx;
CREATE INDEX people_name_words_idx ON read.people USING gin (name_words);
CREATE INDEX organizations_name_words_idx ON read.organizations USING gin (name_words);
