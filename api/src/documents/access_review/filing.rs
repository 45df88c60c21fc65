//! Pages filled from their tops, with headings, facts and tables.
//!
//! Invariant: a table's head stands over each page of it, and every page says of which document it is and
//! which of how many.

use rollcall_commands::paper::{self, Font, Sheet};

const LEFT: f32 = 54.0;
pub(super) const RIGHT: f32 = paper::WIDTH - LEFT;
const TOP: f32 = paper::HEIGHT - 72.0;
const BOTTOM: f32 = 66.0;
const SMALL: f32 = 8.5;
pub(super) const BODY: f32 = 9.5;
/// Between two columns.
const GAP: f32 = 8.0;

/// A column: its title, and where it ends.
pub(super) type Column = (&'static str, f32);

/// Pages that are being filled from their tops.
pub(super) struct Filing {
    sheets: Vec<Sheet>,
    /// Where the next line stands.
    y: f32,
    /// Whether a text has letters that the fonts lack.
    pub is_lacking: bool,
}

impl Filing {
    pub fn new() -> Self {
        Self { sheets: vec![Sheet::new()], y: TOP + 20.0, is_lacking: false }
    }

    fn sheet(&mut self) -> &mut Sheet {
        self.sheets.last_mut().expect("there is always a page")
    }

    /// Begins a page where this one has no room for so much; whether it did.
    fn room(&mut self, height: f32) -> bool {
        let is_over = self.y - height < BOTTOM;
        if is_over {
            self.sheets.push(Sheet::new());
            self.y = TOP;
        }
        is_over
    }

    pub fn skip(&mut self, height: f32) {
        self.y -= height;
    }

    pub fn rule(&mut self) {
        let y = self.y + 1.0;
        self.sheet().rule((LEFT, RIGHT), y);
    }

    pub fn line(&mut self, font: Font, size: f32, text: &str) {
        self.is_lacking |= !paper::has_all(text);
        self.room(size);
        let y = self.y - size;
        self.sheet().line(font, size, (LEFT, y), text);
        self.y -= size * 1.35;
    }

    pub fn text(&mut self, font: Font, size: f32, text: &str) {
        for line in font.wrap(size, RIGHT - LEFT, text) {
            self.line(font, size, &line);
        }
    }

    pub fn heading(&mut self, text: &str) {
        self.room(60.0);
        self.skip(14.0);
        self.line(Font::Bold, 11.0, text);
        self.skip(2.0);
    }

    pub fn fact(&mut self, label: &'static str, value: &str) {
        self.row(&[(label, 140.0), ("", RIGHT)], Font::Plain, &[label, value]);
    }

    /// Sets cells beside each other, each wrapped within its column.
    fn row(&mut self, columns: &[Column], font: Font, cells: &[&str]) {
        let mut from = LEFT;
        let mut wrapped = Vec::new();
        for ((_, to), cell) in columns.iter().zip(cells) {
            self.is_lacking |= !paper::has_all(cell);
            wrapped.push((from, font.wrap(SMALL, to - from - GAP, cell)));
            from = *to;
        }
        let lead = SMALL * 1.3;
        let lines = wrapped.iter().map(|(_, lines)| lines.len()).max().unwrap_or(0);
        for nth in 0..lines {
            self.room(lead);
            let y = self.y - SMALL;
            for (x, lines) in &wrapped {
                if let Some(line) = lines.get(nth).filter(|line| !line.is_empty()) {
                    self.sheet().line(font, SMALL, (*x, y), line);
                }
            }
            self.y -= lead;
        }
        self.y -= 2.0;
    }

    pub fn table<const N: usize>(
        &mut self,
        columns: &[Column; N],
        rows: impl Iterator<Item = [String; N]>,
    ) {
        let titles = columns.map(|(title, _)| title);
        self.row(columns, Font::Bold, &titles);
        self.rule();
        for row in rows {
            // A row of four lines, as most are, is not torn apart.
            if self.room(4.0 * SMALL * 1.3) {
                self.row(columns, Font::Bold, &titles);
                self.rule();
            }
            let cells: [&str; N] = std::array::from_fn(|nth| row[nth].as_str());
            self.row(columns, Font::Plain, &cells);
        }
    }

    pub fn bind(mut self, title: &str, foot: &str) -> Vec<u8> {
        let pages = self.sheets.len();
        for (nth, sheet) in self.sheets.iter_mut().enumerate() {
            let page = format!("Page {} of {pages}", nth + 1);
            sheet.rule((LEFT, RIGHT), BOTTOM - 12.0);
            sheet.line(Font::Plain, 8.0, (LEFT, BOTTOM - 24.0), foot);
            let at = RIGHT - Font::Plain.width(8.0, &page);
            sheet.line(Font::Plain, 8.0, (at, BOTTOM - 24.0), &page);
            if nth > 0 {
                sheet.line(Font::Plain, 8.0, (LEFT, TOP + 20.0), title);
            }
        }
        paper::bind(title, self.sheets)
    }
}
