//! What an event can be found by, as `ops.audit_terms` has it: words, and ids and names behind a mark, each
//! after the id of the tenant.
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

/// The terms of a tenant's events.
#[derive(Clone, Copy)]
pub(super) struct Terms(pub Uuid);

impl Terms {
    /// A term as it stands.
    pub fn plain(self, text: &str) -> String {
        format!("'{}{}'", self.0, text.replace('\\', "\\\\").replace('\'', "''"))
    }

    /// Any of these names behind a mark; `None` if there are none, or one that is no name.
    pub fn any_of<'a>(
        self,
        mark: char,
        names: impl IntoIterator<Item = &'a str>,
    ) -> Option<String> {
        let names: Vec<&str> = names.into_iter().collect();
        if names.is_empty() || names.iter().any(|name| name.len() > LONGEST) {
            return None;
        }
        Some(joined(names.into_iter().map(|name| self.plain(&format!("{mark}{name}")))))
    }

    /// What no event has.
    pub fn nothing(self) -> String {
        self.plain("=")
    }

    /// About any of these people or organisations.
    pub fn around(self, ids: impl IntoIterator<Item = Uuid>) -> String {
        joined(ids.into_iter().map(|id| self.plain(&format!("@{id}"))))
    }

    /// What a sight that is not of the whole tenant can have.
    pub fn of_sight(self, sight: &Sight) -> Option<String> {
        if !sight.whole.is_empty() {
            return None;
        }
        let organizations =
            sight.of_organizations.iter().flat_map(|(these, _)| these).map(|it| it.0);
        let person = sight.of_person.iter().map(|(user, _)| user.0);
        let ids: Vec<Uuid> = organizations.chain(person).collect();
        (1..=MOST_IN_SIGHT).contains(&ids.len()).then(|| self.around(ids))
    }
}

fn joined(terms: impl Iterator<Item = String>) -> String {
    terms.collect::<Vec<_>>().join(" | ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_stays_one_term() {
        let terms = Terms(Uuid::nil());
        let of = "00000000-0000-0000-0000-000000000000";
        assert_eq!(terms.plain("a' | 'b\\"), format!("'{of}a'' | ''b\\\\'"));
        assert_eq!(terms.any_of('=', ["x", "y"]), Some(format!("'{of}=x' | '{of}=y'")));
        assert_eq!(terms.any_of('=', []), None);
        assert_eq!(at_once(vec!["a".into(); 7])[5], "(a) & (a)");
        assert_eq!(terms.any_of('!', ["z".repeat(LONGEST + 1).as_str()]), None);
    }
}
