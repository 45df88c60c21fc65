//! Lines that must not overtake each other: those about one person, or with one user name.
//!
//! Invariant: a line waits only for lines before it, so somebody is always next.

use std::collections::HashMap;

use rollcall_domain::imports::PersonRow;
use tokio::sync::watch;

use super::ahead::{email_key, username_key};

/// Lines under way, by what they are about.
#[derive(Default)]
pub(super) struct Turns(HashMap<String, watch::Receiver<()>>);

/// A line's place behind the others; whoever drops it lets the next one on.
pub(super) struct Turn {
    before: Vec<watch::Receiver<()>>,
    _done: watch::Sender<()>,
}

/// Names kept at least before those of finished lines are forgotten.
const KEPT: usize = 1_000;

impl Turns {
    pub(super) fn next(&mut self, row: &PersonRow) -> Turn {
        let (done, is_done) = watch::channel(());
        let email = email_key(row).map(|key| format!("email {key}"));
        let username = username_key(row).map(|key| format!("username {key}"));
        let names = email.into_iter().chain(username);
        let before = names.filter_map(|name| self.0.insert(name, is_done.clone())).collect();
        if self.0.len() > 2 * KEPT {
            self.0.retain(|_, line| line.has_changed().is_ok());
        }
        Turn { before, _done: done }
    }
}

impl Turn {
    /// Waits until the lines before are done.
    pub(super) async fn comes(&mut self) {
        for line in &mut self.before {
            // Nothing is ever sent: it ends with an error when the other line is done.
            while line.changed().await.is_ok() {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(email: &str, username: &str) -> PersonRow {
        PersonRow { email: email.into(), username: username.into(), ..PersonRow::default() }
    }

    #[tokio::test]
    async fn gn_33_lines_about_one_person_or_name_wait_for_each_other_and_others_do_not() {
        let mut turns = Turns::default();
        let first = turns.next(&row("Ann@clinic.example", "ann"));
        let mut same_person = turns.next(&row("ann@clinic.example", "ann.lee"));
        let mut same_name = turns.next(&row("bob@clinic.example", "ANN"));
        let mut other = turns.next(&row("eve@clinic.example", ""));
        let mut unreadable = turns.next(&row("nobody", ""));
        other.comes().await;
        unreadable.comes().await;
        for waiting in [&mut same_person, &mut same_name] {
            let came = tokio::time::timeout(std::time::Duration::from_millis(20), waiting.comes());
            assert!(came.await.is_err(), "before its turn");
        }
        drop(first);
        same_person.comes().await;
        same_name.comes().await;
        drop(same_person);
        turns.next(&row("ann@clinic.example", "")).comes().await;
    }

    #[test]
    fn gn_33_lines_that_are_done_are_forgotten() {
        let mut turns = Turns::default();
        for nth in 0..10 * KEPT {
            drop(turns.next(&row(&format!("p{nth}@clinic.example"), "")));
        }
        assert!(turns.0.len() <= 2 * KEPT + 1, "{}", turns.0.len());
    }
}
