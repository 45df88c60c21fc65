//! Text search by part of a value. Invariant: what people type is text, never a pattern.

/// The `LIKE` pattern of whatever contains `text`, in lower case.
#[must_use]
pub fn contains(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 2);
    pattern.push('%');
    for letter in text.trim().to_lowercase().chars() {
        if matches!(letter, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern.push('%');
    pattern
}

#[cfg(test)]
mod tests {
    use super::contains;

    #[test]
    fn wildcards_that_were_typed_stand_for_themselves() {
        assert_eq!(contains(" Ann_%\\ "), "%ann\\_\\%\\\\%");
        assert_eq!(contains(""), "%%");
    }
}
