//! The size of a document in tokens, before it is parsed.
//!
//! Invariant: linear in the document, without recursion and far cheaper than parsing, so that a
//! body full of GraphQL costs no more than reading it.

/// Counts names, numbers, strings and punctuators, as the GraphQL grammar has them but for
/// numbers, where a sign or fraction may count by itself. Malformed text is counted as well as it
/// goes; the parser refuses it later.
pub(super) fn count(document: &str) -> usize {
    let bytes = document.as_bytes();
    let mut tokens = 0;
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        at = match byte {
            b' ' | b'\t' | b'\r' | b'\n' | b',' => at + 1,
            b'#' => end_of_comment(bytes, at),
            b'"' => {
                tokens += 1;
                end_of_string(bytes, at)
            }
            _ => {
                tokens += 1;
                end_of_word(bytes, at)
            }
        };
    }
    tokens
}

fn end_of_comment(bytes: &[u8], start: usize) -> usize {
    bytes[start..]
        .iter()
        .position(|byte| matches!(byte, b'\n' | b'\r'))
        .map_or(bytes.len(), |length| start + length)
}

fn end_of_string(bytes: &[u8], start: usize) -> usize {
    if bytes[start..].starts_with(b"\"\"\"") {
        return end_of_block_string(bytes, start + 3);
    }
    let mut at = start + 1;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 2,
            b'"' | b'\n' | b'\r' => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

fn end_of_block_string(bytes: &[u8], mut at: usize) -> usize {
    while at < bytes.len() {
        if bytes[at..].starts_with(b"\\\"\"\"") {
            at += 4;
        } else if bytes[at..].starts_with(b"\"\"\"") {
            return at + 3;
        } else {
            at += 1;
        }
    }
    bytes.len()
}

/// A word of letters, digits and bytes beyond ASCII; any other character stands for itself.
fn end_of_word(bytes: &[u8], start: usize) -> usize {
    let length = bytes[start..]
        .iter()
        .take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_' || !byte.is_ascii())
        .count();
    start + length.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_one_token_and_comments_none() {
        // query A ( $ x : [ Int ! ] ) { a ( b : "…" ) c """…""" }
        let document =
            "query A($x: [Int!]) { a(b: \"{\\\"{\") # [[\n c \"\"\"(( \\\"\"\" [\"\"\" }";
        assert_eq!(count(document), 21);
        assert_eq!(count("# nothing, really"), 0);
    }

    #[test]
    fn unterminated_text_ends_with_the_document() {
        assert_eq!(count("{ \"abc\\"), 2);
        assert_eq!(count("{ \"\"\"abc \" \""), 2);
    }
}
