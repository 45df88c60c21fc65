//! How far a long command has come: in a terminal one line that is written anew, elsewhere a line
//! now and then.
//!
//! Invariant: what it shows goes to standard error, and it never makes the command fail.

use std::{
    io::{IsTerminal, Write, stderr},
    time::{Duration, Instant},
};

/// Between two drawings; the eye sees no more.
const PAUSE: Duration = Duration::from_millis(100);
/// Lines between two reports where nobody watches.
const SELDOM: usize = 1_000;
/// Characters of the bar.
const WIDTH: usize = 30;

/// A command's progress, of so many lines.
pub struct Progress {
    total: usize,
    begun: Instant,
    drawn: Option<Instant>,
    terminal: bool,
}

impl Progress {
    /// Of a command that began then.
    pub fn since(begun: Instant, total: usize) -> Self {
        Self { total, begun, drawn: None, terminal: stderr().is_terminal() }
    }

    /// Tells that so many lines are done.
    pub fn show(&mut self, done: usize) {
        let over = done == self.total;
        if self.terminal {
            if over || self.drawn.is_none_or(|drawn| drawn.elapsed() >= PAUSE) {
                self.drawn = Some(Instant::now());
                let end = if over { "\n" } else { "" };
                self.write(&format!(
                    "\r\x1b[K{}{end}",
                    bar(done, self.total, self.begun.elapsed())
                ));
            }
        } else if over || done.is_multiple_of(SELDOM) {
            self.write(&format!("{done} of {} lines\n", self.total));
        }
    }

    /// Makes room for a line of output, if the terminal shows both.
    pub fn clear(&mut self) {
        if self.terminal {
            self.write("\r\x1b[K");
            self.drawn = None;
        }
    }

    fn write(&self, text: &str) {
        // Progress is for whoever watches; nobody does where it cannot be written.
        let mut out = stderr();
        let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    }
}

/// A bar with lines done, lines per second and the time that remains at that pace.
fn bar(done: usize, total: usize, elapsed: Duration) -> String {
    let full = (done * WIDTH).checked_div(total).unwrap_or(WIDTH);
    let bar = format!("{}{}", "#".repeat(full), ".".repeat(WIDTH - full));
    let per_second = done as f64 / elapsed.as_secs_f64().max(0.001);
    let remaining = if done == 0 {
        "?".to_owned()
    } else {
        clock(((total - done) as f64 / per_second).ceil() as u64)
    };
    format!("[{bar}] {done}/{total} lines, {per_second:.0}/s, {remaining} left")
}

/// `1:02:03`, or `2:03` below an hour.
fn clock(seconds: u64) -> String {
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes}:{seconds:02}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_tells_lines_pace_and_the_time_that_remains() {
        let after = |seconds| Duration::from_secs(seconds);
        let third = "##########....................";
        assert_eq!(bar(500, 1500, after(5)), format!("[{third}] 500/1500 lines, 100/s, 0:10 left"));
        let slow = bar(10, 50_000, after(10));
        assert!(slow.ends_with("10/50000 lines, 1/s, 13:53:10 left"), "{slow}");
        let full = "#".repeat(WIDTH);
        assert_eq!(bar(7, 7, after(2)), format!("[{full}] 7/7 lines, 4/s, 0:00 left"));
    }

    #[test]
    fn before_the_first_line_nothing_is_foretold() {
        let empty = ".".repeat(WIDTH);
        assert_eq!(bar(0, 9, Duration::ZERO), format!("[{empty}] 0/9 lines, 0/s, ? left"));
        assert!(bar(0, 0, Duration::ZERO).starts_with(&format!("[{}]", "#".repeat(WIDTH))));
    }
}
