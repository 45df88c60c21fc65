//! When two passwords are "similar" (GN-07), and which ones are tried first by an attacker.
//!
//! Invariant: pure functions of the text. The last N passwords are known only by slow hashes of
//! their normal forms, so [`normal_form`] must never change: a new rule needs a new name beside it.

use std::collections::HashSet;
use std::sync::LazyLock;

use zeroize::Zeroizing;

use super::Password;

/// The common passwords, one per line, in lower case; `#` begins a comment.
const COMMON: &str = include_str!("common_passwords.txt");

static COMMON_FORMS: LazyLock<HashSet<String>> = LazyLock::new(|| {
    COMMON
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .flat_map(|line| [line.to_owned(), normalise(line)])
        .collect()
});

/// The form in which two similar passwords are equal: in lower case, without the digits and symbols
/// around the first and last letter, the usual substitutions undone (`P4s$word!` → `password`).
///
/// What stands around is cut before substitutions are undone, because a counting `1` at the end is
/// a decoration and not an `i`. A password without any letter is its own form.
pub fn normal_form(password: &Password) -> Zeroizing<String> {
    Zeroizing::new(normalise(password.reveal()))
}

fn normalise(text: &str) -> String {
    let folded = Zeroizing::new(text.to_lowercase());
    let core = folded.trim_matches(|c: char| !c.is_alphabetic());
    if core.is_empty() {
        return folded.to_string();
    }
    core.chars().map(undo_substitution).collect()
}

fn undo_substitution(c: char) -> char {
    match c {
        '4' | '@' => 'a',
        '8' => 'b',
        '(' => 'c',
        '3' | '€' => 'e',
        '6' | '9' => 'g',
        '1' | '!' | '|' => 'i',
        '0' => 'o',
        '5' | '$' => 's',
        '7' | '+' => 't',
        '2' => 'z',
        other => other,
    }
}

/// Whether the candidate is too close to the current password: the same normal form, or at most
/// `max_distance` edits apart, case not counted.
pub fn are_similar(current: &Password, candidate: &Password, max_distance: usize) -> bool {
    let folded = |password: &Password| Zeroizing::new(password.reveal().to_lowercase());
    normal_form(current) == normal_form(candidate)
        || edit_distance(&folded(current), &folded(candidate)) <= max_distance
}

/// Levenshtein distance in code points: insertions, deletions and replacements.
pub fn edit_distance(a: &str, b: &str) -> usize {
    let b: Zeroizing<Vec<char>> = Zeroizing::new(b.chars().collect());
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

/// Whether a password is common: on the list as typed or in its normal form, a repetition of
/// something on the list or of at most three characters, or one run such as `abcdef` or `98765`.
pub fn is_common(password: &Password) -> bool {
    let folded = Zeroizing::new(password.reveal().to_lowercase());
    let form = normal_form(password);
    [&folded, &form].into_iter().any(|text| {
        let unit = repeated_unit(text);
        COMMON_FORMS.contains(text.as_str())
            || (unit.len() < text.len()
                && (unit.chars().count() <= 3 || COMMON_FORMS.contains(unit)))
    }) || is_run(&folded)
}

/// The shortest text of which `text` is a repetition: itself when it repeats nothing.
fn repeated_unit(text: &str) -> &str {
    (1..=text.len() / 2)
        .filter(|length| text.len().is_multiple_of(*length) && text.is_char_boundary(*length))
        .map(|length| &text[..length])
        .find(|unit| unit.repeat(text.len() / unit.len()) == text)
        .unwrap_or(text)
}

/// Whether at least four characters each follow the one before, up or down, with 9 beside 0.
fn is_run(text: &str) -> bool {
    let chars: Zeroizing<Vec<char>> = Zeroizing::new(text.chars().collect());
    let follows = |a: char, b: char| u32::from(a) + 1 == u32::from(b) || (a, b) == ('9', '0');
    chars.len() >= 4
        && (chars.windows(2).all(|pair| follows(pair[0], pair[1]))
            || chars.windows(2).all(|pair| follows(pair[1], pair[0])))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(typed: &str) -> String {
        normal_form(&Password::new(typed)).to_string()
    }

    #[test]
    fn the_normal_form_drops_case_decoration_and_substitutions() {
        for (typed, expected) in [
            ("Password", "password"),
            ("P4s$w0rd!", "password"),
            ("2024P@ssword2025##", "password"),
            ("Summer-Rain9", "summer-rain"),
            ("H3rb$tl4ub 7", "herbstlaub"),
            ("Zürich2024", "zürich"),
            ("12345!", "12345!"),
            ("", ""),
        ] {
            assert_eq!(form(typed), expected, "{typed}");
        }
    }

    #[test]
    fn a_normal_form_is_its_own_normal_form() {
        for typed in ["P4s$w0rd!", "!!a1b2c3!!", "1234", "x", "Ünder-Wä55er42"] {
            assert_eq!(form(&form(typed)), form(typed), "{typed}");
        }
    }

    #[test]
    fn edit_distance_counts_single_edits() {
        for (a, b, distance) in [
            ("", "", 0),
            ("", "abc", 3),
            ("kitten", "sitting", 3),
            ("flaw", "lawn", 2),
            ("gumbo", "gambol", 2),
            ("zürich", "zurich", 1),
        ] {
            assert_eq!(edit_distance(a, b), distance, "{a} {b}");
            assert_eq!(edit_distance(b, a), distance, "{b} {a}");
        }
    }

    #[test]
    fn passwords_are_similar_by_form_or_by_few_edits() {
        let similar = |a: &str, b: &str| are_similar(&Password::new(a), &Password::new(b), 3);
        assert!(similar("Harvest-Moon-77!", "h4rvest-m00n-2026$$$$"));
        assert!(similar("Harvest-Moon-77!", "Harvest-Noon-Z!"));
        assert!(!similar("Harvest-Moon-77!", "Correct-Horse-88%"));
        assert!(!similar("Harvest-Moon-77!", "Harvest-Wolf-Z!"));
    }

    #[test]
    fn the_list_is_in_lower_case_without_duplicates_and_blanks() {
        let entries: Vec<_> =
            COMMON.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
        let distinct: HashSet<_> = entries.iter().collect();
        assert_eq!(distinct.len(), entries.len());
        assert!(entries.len() >= 250, "{}", entries.len());
        for entry in entries {
            assert_eq!(entry, entry.trim().to_lowercase());
        }
    }

    #[test]
    fn repetitions_and_runs_are_common_at_any_length() {
        for typed in [
            "passwordpassword",
            "Aaaaaaaaaaaaaaaa",
            "abcabcabcabcabc",
            "123123123123123",
            "123456789012345",
            "987654321098765",
            "abcdefghijklmnop",
            "QwertyQwerty2024!",
        ] {
            assert!(is_common(&Password::new(typed)), "{typed}");
        }
        for typed in ["Portal123#", "Harvest-Moon-77!", "correct horse battery staple", "vq7Zp!"] {
            assert!(!is_common(&Password::new(typed)), "{typed}");
        }
    }
}
