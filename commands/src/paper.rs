//! Paper: pages of US letter size with text, for letters and for what is to be filed.
//!
//! Invariant: nothing is embedded: the fonts are those that every reader of PDF has, so what their
//! encoding lacks is a question mark. Lengths are points, from the lower left corner.

use pdf_writer::{Content, Name, Pdf, Rect, Ref, Str, TextStr};

pub const WIDTH: f32 = 612.0;
pub const HEIGHT: f32 = 792.0;

/// Three of the fonts that every reader of PDF brings along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Font {
    Plain,
    Bold,
    Mono,
}

impl Font {
    const ALL: [Self; 3] = [Self::Plain, Self::Bold, Self::Mono];

    const fn name(self) -> Name<'static> {
        match self {
            Self::Plain => Name(b"F1"),
            Self::Bold => Name(b"F2"),
            Self::Mono => Name(b"F3"),
        }
    }

    const fn base(self) -> Name<'static> {
        match self {
            Self::Plain => Name(b"Helvetica"),
            Self::Bold => Name(b"Helvetica-Bold"),
            Self::Mono => Name(b"Courier-Bold"),
        }
    }

    /// How wide a letter is, in thousandths of the size; of letters with accents as wide as they get.
    fn letter(self, letter: char) -> u16 {
        let plain = match letter {
            ' '..='~' => HELVETICA[letter as usize - 32],
            '\u{c0}'..='\u{de}' => 778,
            _ => 667,
        };
        match self {
            Self::Plain => plain,
            // Nowhere is Helvetica-Bold wider than this.
            Self::Bold => plain + 58,
            Self::Mono => 600,
        }
    }

    /// How wide a text is at a size.
    #[must_use]
    pub fn width(self, size: f32, text: &str) -> f32 {
        let thousandths: u32 = text.chars().map(|letter| u32::from(self.letter(letter))).sum();
        // Far below the numbers that an f32 holds exactly.
        #[expect(clippy::cast_precision_loss, reason = "a line has some hundred letters")]
        let thousandths = thousandths as f32;
        thousandths * size / 1_000.0
    }

    /// A text in lines that are no wider than `width`, broken between words, or in one that is longer.
    #[must_use]
    pub fn wrap(self, size: f32, width: f32, text: &str) -> Vec<String> {
        let fits = |line: &str| self.width(size, line) <= width;
        let mut lines = vec![String::new()];
        for word in text.split_whitespace() {
            let last = lines.last_mut().expect("there is always a line");
            let joined = if last.is_empty() { word.to_owned() } else { format!("{last} {word}") };
            if fits(&joined) {
                *last = joined;
                continue;
            }
            if !last.is_empty() {
                lines.push(String::new());
            }
            for letter in word.chars() {
                let last = lines.last_mut().expect("there is always a line");
                last.push(letter);
                if !fits(last) && last.chars().count() > 1 {
                    last.pop();
                    lines.push(letter.to_string());
                }
            }
        }
        lines
    }
}

/// Helvetica's widths from the space to the tilde, in thousandths of the size (Adobe's metrics).
const HELVETICA: [u16; 95] = [
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556,
    556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667,
    611, 778, 722, 278, 500, 667, 556, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667,
    667, 611, 278, 278, 278, 469, 556, 333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500,
    222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
];

/// One page under construction.
pub struct Sheet {
    content: Content,
}

impl Default for Sheet {
    fn default() -> Self {
        Self { content: Content::new() }
    }
}

impl Sheet {
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a line of text that begins at a place.
    pub fn line(&mut self, font: Font, size: f32, (x, y): (f32, f32), text: &str) {
        self.content.begin_text();
        self.content.set_font(font.name(), size);
        self.content.next_line(x, y);
        self.content.show(Str(&win_ansi(text)));
        self.content.end_text();
    }

    /// Draws a thin line across.
    pub fn rule(&mut self, (from, to): (f32, f32), y: f32) {
        self.content.set_line_width(0.5);
        self.content.move_to(from, y);
        self.content.line_to(to, y);
        self.content.stroke();
    }
}

/// The pages as one PDF.
#[must_use]
pub fn bind(title: &str, sheets: Vec<Sheet>) -> Vec<u8> {
    let [catalog, pages, info] = [1, 2, 3].map(Ref::new);
    let fonts = [4, 5, 6].map(Ref::new);
    let numbered = (7..).step_by(2).zip(sheets);
    let sheets: Vec<(Ref, Ref, Sheet)> =
        numbered.map(|(n, sheet)| (Ref::new(n), Ref::new(n + 1), sheet)).collect();
    let mut pdf = Pdf::new();
    pdf.catalog(catalog).pages(pages);
    let count = i32::try_from(sheets.len()).unwrap_or(i32::MAX);
    pdf.pages(pages).kids(sheets.iter().map(|(page, ..)| *page)).count(count);
    for (font, reference) in Font::ALL.into_iter().zip(fonts) {
        pdf.type1_font(reference)
            .base_font(font.base())
            .encoding_predefined(Name(b"WinAnsiEncoding"));
    }
    for (page, content, sheet) in sheets {
        let mut leaf = pdf.page(page);
        leaf.media_box(Rect::new(0.0, 0.0, WIDTH, HEIGHT)).parent(pages).contents(content);
        let mut resources = leaf.resources();
        let mut named = resources.fonts();
        for (font, reference) in Font::ALL.into_iter().zip(fonts) {
            named.pair(font.name(), reference);
        }
        drop(named);
        drop(resources);
        drop(leaf);
        pdf.stream(content, &sheet.content.finish());
    }
    pdf.document_info(info).title(TextStr(title));
    pdf.finish()
}

/// Whether the fonts have every letter of a text.
#[must_use]
pub fn has_all(text: &str) -> bool {
    text.chars().all(|letter| byte(letter).is_some())
}

/// The bytes of the fonts' encoding; what it lacks is a question mark.
fn win_ansi(text: &str) -> Vec<u8> {
    text.chars().map(|letter| byte(letter).unwrap_or(b'?')).collect()
}

fn byte(letter: char) -> Option<u8> {
    match letter {
        '\u{20}'..='\u{7e}' | '\u{a0}'..='\u{ff}' => u8::try_from(u32::from(letter)).ok(),
        '\u{2018}' => Some(0x91),
        '\u{2019}' => Some(0x92),
        '\u{201c}' => Some(0x93),
        '\u{201d}' => Some(0x94),
        '\u{2013}' => Some(0x96),
        '\u{2014}' => Some(0x97),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_no_wider_than_asked_and_lose_nothing() {
        let hash = "ab".repeat(40);
        let text = format!("Who is kept still works here: {hash} and needs this access.");
        let lines = Font::Plain.wrap(9.0, 120.0, &text);
        assert!(lines.iter().all(|line| Font::Plain.width(9.0, line) <= 120.0), "{lines:?}");
        let letters = |text: &str| text.replace(' ', "");
        assert_eq!(letters(&lines.concat()), letters(&text));
        assert_eq!(Font::Plain.wrap(9.0, 120.0, ""), [""]);
        // 722 + 556 + 500 + 278 thousandths, by Adobe's metrics.
        assert!((Font::Plain.width(10.0, "Rex.") - 20.56).abs() < 0.01);
        assert!(Font::Bold.width(10.0, "Rex.") > Font::Plain.width(10.0, "Rex."));
    }

    #[test]
    fn a_document_has_the_pages_it_was_given() {
        let mut sheets = vec![Sheet::new(), Sheet::new()];
        sheets[1].line(Font::Mono, 12.0, (72.0, 700.0), "second");
        let pdf = bind("Two", sheets);
        let shows = |text: &[u8]| pdf.windows(text.len()).any(|window| window == text);
        assert!(pdf.starts_with(b"%PDF-1.7") && pdf.ends_with(b"%%EOF"));
        assert!(shows(b"/Count 2") && shows(b"(second)"));
        assert!(has_all("Clínica “Redwood”") && !has_all("Łódź"));
    }
}
