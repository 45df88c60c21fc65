//! Full text over what is not personal, and people and organisations by their names (GN-26).
//!
//! Invariant: what can be found is what the events in sight show anyhow: their names, what changed,
//! and today's names of who acted, whom and which organisations they are about. Addresses, numbers
//! and what was typed are not searched, and a name that is erased finds nothing.

use sqlx::{FromRow, Postgres, QueryBuilder};
use uuid::Uuid;

use crate::Snapshot;

/// The most words that are looked for at once.
pub const MAX_WORDS: usize = 8;
/// Of people, organisations or events that a word may mean more are not listed but tested row by row.
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

/// What a word may mean; lists are absent where there are too many.
#[derive(FromRow)]
pub(super) struct Meaning {
    /// In small letters.
    word: String,
    /// As `tsquery`.
    query: String,
    types: Vec<String>,
    people: Option<Vec<Uuid>>,
    organizations: Option<Vec<Uuid>>,
    /// Of events whose changes have the word.
    positions: Option<Vec<i64>>,
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
        "SELECT word, query, types, people, organizations, positions FROM ops.audit_text($1, $2)",
    )
    .bind(words)
    .bind(AT_MOST)
    .fetch_all(view.connection())
    .await
}

impl Meaning {
    /// Demands that `t` has the word in one of its meanings.
    pub(super) fn demand(&self, query: &mut QueryBuilder<'_, Postgres>) {
        query.push(" AND (t.event_type = ANY (").push_bind(self.types.clone());
        query.push(") OR t.npi = ").push_bind(self.word.clone());
        match &self.positions {
            Some(positions) => {
                query.push(" OR t.position = ANY (").push_bind(positions.clone()).push(")");
            }
            None => {
                query.push(" OR t.words @@ ").push_bind(self.query.clone()).push("::tsquery");
            }
        }
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
