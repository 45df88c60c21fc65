//! Full text over what is not personal, and people and organisations by their names (GN-26).
//!
//! Invariant: what can be found is what the events in sight show anyhow: their names, what changed,
//! and today's names of who acted, whom and which organisations they are about. Addresses, numbers
//! and what was typed are not searched, and a name that is erased finds nothing.

use std::collections::BTreeSet;

use rollcall_domain::values::Npi;
use sqlx::{FromRow, Postgres, QueryBuilder};
use uuid::Uuid;

use super::terms;
use crate::Snapshot;

/// The most words that are looked for at once.
pub const MAX_WORDS: usize = 8;
/// Of people or organisations that a word may mean more are not listed but tested row by row.
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

/// What a word may mean; lists of people and organisations are absent where there are too many.
#[derive(FromRow)]
pub(super) struct Meaning {
    /// In small letters.
    word: String,
    /// As `tsquery`.
    query: String,
    /// Terms of events whose changes have it, as `tsquery`.
    forms: Vec<String>,
    /// The types of these events.
    said_in: Vec<String>,
    /// The types whose names have it.
    types: Vec<String>,
    people: Option<Vec<Uuid>>,
    organizations: Option<Vec<Uuid>>,
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
        "SELECT word, query, forms, said_in, types, people, organizations
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
        self.people.is_some() && self.organizations.is_some()
    }

    /// The types of which an event must be to have it; `None`: any, since it is a name or an NPI.
    pub(super) fn types(&self) -> Option<BTreeSet<&str>> {
        let nobody = |of: &Option<Vec<Uuid>>| of.as_ref().is_some_and(Vec::is_empty);
        let is_plain = nobody(&self.people) && nobody(&self.organizations);
        let types = self.types.iter().chain(&self.said_in);
        (is_plain && Npi::parse(&self.word).is_err()).then(|| types.map(String::as_str).collect())
    }

    /// What an event of the `types` must have of terms to have it; `None` where the type is enough, or
    /// not all that it may mean is listed.
    pub(super) fn terms(&self, types: Option<&BTreeSet<&str>>) -> Option<String> {
        let is_named = |name: &&str| self.types.iter().any(|it| it == *name);
        if !self.is_listed() || types.is_some_and(|types| types.iter().all(is_named)) {
            return None;
        }
        let may_be = |name: &&str| types.is_none_or(|types| types.contains(name));
        let named = terms::any_of('=', self.types.iter().map(String::as_str).filter(may_be));
        let ids = [&self.people, &self.organizations].into_iter().flatten().flatten().copied();
        let around = Some(terms::around(ids)).filter(|ids| !ids.is_empty());
        // An NPI is a term that need not be a word of what changed.
        let word = [terms::plain(&self.word)];
        let all = word.into_iter().chain(self.forms.iter().cloned()).chain(named).chain(around);
        Some(all.collect::<Vec<_>>().join(" | "))
    }

    /// Demands that `t` has the word in one of its meanings.
    pub(super) fn demand(&self, query: &mut QueryBuilder<'_, Postgres>) {
        query.push(" AND (t.event_type = ANY (").push_bind(self.types.clone());
        query.push(") OR t.npi = ").push_bind(self.word.clone());
        query.push(" OR t.words @@ ").push_bind(self.query.clone()).push("::tsquery");
        match &self.people {
            Some(people) => {
                query.push(" OR t.actor_id = ANY (").push_bind(people.clone());
                query.push(") OR t.subject_id = ANY (").push_bind(people.clone()).push(")");
            }
            None => {
                query.push(
                    " OR EXISTS (SELECT FROM read.people p WHERE p.tenant_id = t.tenant_id
                       AND p.user_id IN (t.actor_id, t.subject_id)
                       AND ops.name_words(p.first_name, p.last_name) @@ ",
                );
                query.push_bind(self.query.clone()).push("::tsquery)");
            }
        }
        match &self.organizations {
            Some(ids) => {
                query.push(" OR t.organization_id = ANY (").push_bind(ids.clone());
                query.push(") OR t.subject_organization_id = ANY (").push_bind(ids.clone());
                query.push(")");
            }
            None => {
                query.push(
                    " OR EXISTS (SELECT FROM read.organizations o WHERE o.tenant_id = t.tenant_id
                       AND o.id IN (t.organization_id, t.subject_organization_id)
                       AND ops.words(o.name) @@ ",
                );
                query.push_bind(self.query.clone()).push("::tsquery)");
            }
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
