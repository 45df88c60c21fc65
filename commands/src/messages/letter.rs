//! A letter as a PDF document of one page, for the plan's print shop. Invariant: the same letter is
//! the same bytes, so printing it again gives no second version.

use pdf_writer::{Content, Name, Pdf, Rect, Ref, Str};
use rollcall_domain::organizations::PostalAddress;

use super::addressee::envelope;

/// US letter, in points.
const PAGE: (f32, f32) = (612.0, 792.0);
const MARGIN: f32 = 72.0;
/// Where the window of an envelope shows the address, from the top.
const WINDOW: f32 = 130.0;
const SIZE: f32 = 11.0;
const LEADING: f32 = 15.0;
/// Characters that fit on a line of the fixed-width font at this size.
const LINE: usize = 70;
const FONT: Name<'static> = Name(b"F1");

/// The letter under a portal's name to an address.
#[must_use]
pub fn pdf(
    portal: &str,
    (name, address): (&str, &PostalAddress),
    subject: &str,
    paragraphs: &[String],
) -> Vec<u8> {
    let mut page = Content::new();
    write(&mut page, MARGIN, std::iter::once(portal.to_owned()));
    write(&mut page, WINDOW, envelope(name, address).into_iter());
    let body = std::iter::once(subject.to_owned()).chain(paragraphs.iter().cloned());
    let lines = body.flat_map(|paragraph| {
        let mut lines = wrapped(&paragraph);
        lines.push(String::new());
        lines
    });
    write(&mut page, WINDOW + 8.0 * LEADING, lines);
    document(&page.finish())
}

fn document(page: &[u8]) -> Vec<u8> {
    let [catalog, pages, sheet, font, content] = [1, 2, 3, 4, 5].map(Ref::new);
    let mut pdf = Pdf::new();
    pdf.catalog(catalog).pages(pages);
    pdf.pages(pages).kids([sheet]).count(1);
    let mut writer = pdf.page(sheet);
    writer.media_box(Rect::new(0.0, 0.0, PAGE.0, PAGE.1)).parent(pages).contents(content);
    writer.resources().fonts().pair(FONT, font);
    drop(writer);
    pdf.type1_font(font).base_font(Name(b"Courier")).encoding_predefined(Name(b"WinAnsiEncoding"));
    pdf.stream(content, page);
    pdf.finish()
}

/// Writes lines downwards, beginning so far from the top.
fn write(page: &mut Content, top: f32, lines: impl Iterator<Item = String>) {
    page.begin_text();
    page.set_font(FONT, SIZE);
    page.set_leading(LEADING);
    page.next_line(MARGIN, PAGE.1 - top);
    for line in lines {
        page.show(Str(&latin1(&line)));
        page.next_line_using_leading();
    }
    page.end_text();
}

/// The font's encoding; what it lacks becomes a question mark.
fn latin1(text: &str) -> Vec<u8> {
    text.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect()
}

/// Lines of at most [`LINE`] characters, broken between words; a longer word is cut.
fn wrapped(paragraph: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in paragraph.split_whitespace() {
        let mut word = word;
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > LINE {
            lines.push(std::mem::take(&mut line));
        }
        while let Some((cut, _)) = word.char_indices().nth(LINE) {
            lines.push(word[..cut].to_owned());
            word = &word[cut..];
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_is_a_pdf_that_shows_address_and_words() {
        let address = PostalAddress::parse("1 Main St", "Suite 2", "Fresno", "CA", "93701");
        let address = address.expect("a valid address");
        let paragraphs = ["Some words.".to_owned(), "The-Token_of-this-letter".to_owned()];
        let made = || pdf("Test Portal", ("Redwood Clinic", &address), "Register", &paragraphs);
        let bytes = made();
        let text = String::from_utf8_lossy(&bytes);
        assert!(text.starts_with("%PDF-") && text.trim_end().ends_with("%%EOF"));
        for line in
            ["Test Portal", "Redwood Clinic", "Fresno, CA 93701", "The-Token_of-this-letter"]
        {
            assert!(text.contains(line), "{line} is missing");
        }
        assert_eq!(bytes, made());
    }

    #[test]
    fn long_lines_are_broken_and_no_character_is_lost() {
        let paragraph = format!("short {} {}", "word ".repeat(30), "x".repeat(200));
        let lines = wrapped(&paragraph);
        assert!(lines.iter().all(|line| line.chars().count() <= LINE));
        let squeeze = |text: &str| text.split_whitespace().collect::<String>();
        assert_eq!(squeeze(&lines.concat()), squeeze(&paragraph));
    }
}
