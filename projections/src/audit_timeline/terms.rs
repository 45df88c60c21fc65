//! What an event can be found by, as `ops.audit_terms` has it: words, and ids and names behind a mark.
//!
//! Invariant: whatever is asked for is one term of a `tsquery` and cannot become another.

use uuid::Uuid;

use super::Sight;

/// The longest term that is looked for; names of types and commands are shorter.
const LONGEST: usize = 256;
/// Of more organisations in sight each event is asked, not the index.
const MOST_IN_SIGHT: usize = 100;

/// How many conditions `ops.audit_found` has.
const AT_ONCE: usize = 6;

/// As many conditions as there may be.
pub(super) fn at_once(mut conditions: Vec<String>) -> Vec<String> {
    if conditions.len() > AT_ONCE {
        let rest = conditions.split_off(AT_ONCE - 1);
        conditions.push(format!("({})", rest.join(") & (")));
    }
    conditions
}

/// A term as it stands.
pub(super) fn plain(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

/// Any of these names behind a mark; `None` if there are none, or one that is no name.
pub(super) fn any_of<'a>(mark: char, names: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let names: Vec<&str> = names.into_iter().collect();
    if names.is_empty() || names.iter().any(|name| name.len() > LONGEST) {
        return None;
    }
    Some(joined(names.into_iter().map(|name| plain(&format!("{mark}{name}")))))
}

/// What no event has.
pub(super) fn nothing() -> String {
    plain("=")
}

/// About any of these people or organisations.
pub(super) fn around(ids: impl IntoIterator<Item = Uuid>) -> String {
    joined(ids.into_iter().map(|id| plain(&format!("@{id}"))))
}

/// What a sight that is not of the whole tenant can have.
pub(super) fn of_sight(sight: &Sight) -> Option<String> {
    if !sight.whole.is_empty() {
        return None;
    }
    let organizations = sight.of_organizations.iter().flat_map(|(these, _)| these).map(|it| it.0);
    let person = sight.of_person.iter().map(|(user, _)| user.0);
    let ids: Vec<Uuid> = organizations.chain(person).collect();
    (1..=MOST_IN_SIGHT).contains(&ids.len()).then(|| around(ids))
}

fn joined(terms: impl Iterator<Item = String>) -> String {
    terms.collect::<Vec<_>>().join(" | ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_stays_one_term() {
        assert_eq!(plain("a' | 'b\\"), "'a'' | ''b\\\\'");
        assert_eq!(any_of('=', ["x", "y"]).as_deref(), Some("'=x' | '=y'"));
        assert_eq!(any_of('=', []), None);
        assert_eq!(at_once(vec!["a".into(); 7])[5], "(a) & (a)");
        assert_eq!(any_of('!', ["z".repeat(LONGEST + 1).as_str()]), None);
    }
}
