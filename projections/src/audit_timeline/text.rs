//! Full text over what is not personal, and people and organisations by their names (GN-26).
//!
//! Invariant: what can be found is what the events in sight show anyhow: their names, what changed,
//! and today's names of who acted, whom and which organisations they are about. Addresses, numbers
//! and what was typed are not searched, and a name that is erased finds nothing.

use std::collections::BTreeSet;

use rollcall_domain::values::Npi;
use sqlx::{FromRow, Postgres, QueryBuilder};
use uuid::Uuid;

use super::terms::Terms;
use crate::Snapshot;

/// The most words that are looked for at once.
pub const MAX_WORDS: usize = 8;
/// Who got the name later than they had events, more of them than this, is not listed but each event asked.
const AT_MOST: i32 = 1_000;

/// The words of a text, once each: what stands between characters of ASCII that are neither letters
/// nor digits (`ops.words` in SQL), and is not punctuation alone.
#[must_use]
pub fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for word in text.split(|letter: char| letter.is_ascii() && !letter.is_ascii_alphanumeric()) {
        if word.contains(char::is_alphanumeric) && !words.iter().any(|known| known == word) {
            words.push(word.to_owned());
        }
    }
    words
}

/// What a word may mean.
#[derive(FromRow)]
pub(super) struct Meaning {
    /// In small letters, and the last word that has it as its beginning.
    word: String,
    last: String,
    /// As `tsquery`.
    query: String,
    /// Terms of events whose changes or names have it, as `tsquery`.
    forms: Vec<String>,
    /// The types of events whose changes have it.
    said_in: Vec<String>,
    /// The types whose names have it.
    types: Vec<String>,
    /// Whether somebody or something is called so.
    is_name: bool,
    /// Whether somebody or something was called so, and has events with the form of it.
    was_name: bool,
    /// Who had events before they were called so; absent where these are too many.
    renamed: Option<Vec<Uuid>>,
}

/// What the words may mean, by one statement.
pub(super) async fn meanings(
    view: &mut Snapshot,
    words: &[String],
) -> Result<Vec<Meaning>, sqlx::Error> {
    if words.is_empty() {
        return Ok(Vec::new());
    }
    sqlx::query_as(
        "SELECT word, last, query, forms, said_in, types, is_name, was_name, renamed
           FROM ops.audit_meanings($1, $2)",
    )
    .bind(words)
    .bind(AT_MOST)
    .fetch_all(view.connection())
    .await
}

impl Meaning {
    /// Whether the index of terms has all that it may mean.
    pub(super) const fn is_listed(&self) -> bool {
        self.renamed.is_some()
    }

    /// Whether what the index of terms has is just what it means.
    pub(super) const fn is_exact(&self) -> bool {
        self.is_listed() && !self.was_name
    }

    /// The types of which an event must be to have it; `None`: any, since it is a name or an NPI.
    pub(super) fn types(&self) -> Option<BTreeSet<&str>> {
        let types = self.types.iter().chain(&self.said_in);
        (!self.is_name && Npi::parse(&self.word).is_err())
            .then(|| types.map(String::as_str).collect())
    }

    /// What an event of the `types` must have of terms to have it; `None` where the type is enough, or
    /// not all that it may mean is listed.
    pub(super) fn terms(&self, of: Terms, types: Option<&BTreeSet<&str>>) -> Option<String> {
        let is_named = |name: &&str| self.types.iter().any(|it| it == *name);
        if !self.is_listed() || types.is_some_and(|types| types.iter().all(is_named)) {
            return None;
        }
        let may_be = |name: &&str| types.is_none_or(|types| types.contains(name));
        let named = of.any_of('=', self.types.iter().map(String::as_str).filter(may_be));
        let renamed = self.renamed.iter().flatten().copied();
        let around = Some(of.around(renamed)).filter(|ids| !ids.is_empty());
        // An NPI is a term that need not be a word of what changed.
        let word = [of.plain(&self.word)];
        let all = word.into_iter().chain(self.forms.iter().cloned()).chain(named).chain(around);
        Some(all.collect::<Vec<_>>().join(" | "))
    }

    /// Demands that `t` has the word in one of its meanings.
    pub(super) fn demand(&self, query: &mut QueryBuilder<'_, Postgres>) {
        query.push(" AND (t.event_type = ANY (").push_bind(self.types.clone());
        query.push(") OR t.npi = ").push_bind(self.word.clone());
        query.push(" OR t.words @@ ").push_bind(self.query.clone()).push("::tsquery");
        if self.is_name {
            query.push(
                " OR EXISTS (SELECT FROM read.audit_names n WHERE n.tenant_id = t.tenant_id AND n.id IN
                   (t.actor_id, t.subject_id, t.organization_id, t.subject_organization_id)
                   AND n.until IS NULL AND n.word >= ",
            );
            query.push_bind(self.word.clone()).push(" AND n.word <= ");
            query.push_bind(self.last.clone()).push(")");
        }
        query.push(")");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_its_words_once_each() {
        let text = "  PIN_RESET, o'Hara  PIN – Ávila";
        assert_eq!(words(text), ["PIN", "RESET", "o", "Hara", "Ávila"]);
        assert!(words(" .-' –").is_empty());
    }
}
