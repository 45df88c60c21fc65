//! A mail server on a real socket that takes everything, writes down what it took, and outlives the
//! kills. It can be asked to hold its acknowledgements back, so that sends are cut off before them.
//!
//! Invariant: a mail counts as acknowledged only when the server's 250 has been written.

use std::{
    collections::BTreeMap,
    io::{self, BufRead, BufReader, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use crate::ground::within;

/// What became of one Message-ID.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    pub to: Vec<String>,
    pub acknowledged: usize,
    pub cut_off: usize,
}

#[derive(Clone)]
pub struct Sink {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    book: Mutex<Book>,
    released: Condvar,
}

#[derive(Default)]
struct Book {
    holding: bool,
    held: usize,
    mails: BTreeMap<String, Tally>,
}

impl Sink {
    pub fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("a bound listener has an address");
        let shared = Arc::<Shared>::default();
        let of_sessions = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&of_sessions);
                // A client that is killed in the middle ends its session, nothing more.
                thread::spawn(move || shared.converse(&stream));
            }
        });
        Self { address, shared }
    }

    pub fn url(&self) -> String {
        format!("smtp://{}", self.address)
    }

    /// From now on mail is taken and not acknowledged; returns when one stands so.
    pub fn hold(&self) {
        self.shared.book().holding = true;
        within(Duration::from_secs(180), "a mail is on its way", || {
            (self.shared.book().held > 0).then_some(())
        });
        // Whoever got an acknowledgement just before has had time to record it.
        thread::sleep(Duration::from_millis(300));
    }

    /// Cuts off what is held and acknowledges again.
    pub fn release(&self) {
        let mut book = self.shared.book();
        (book.holding, book.held) = (false, 0);
        self.shared.released.notify_all();
    }

    /// What was taken, by Message-ID.
    pub fn mails(&self) -> BTreeMap<String, Tally> {
        self.shared.book().mails.clone()
    }
}

impl Shared {
    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// As much of RFC 5321 as it takes to be sent mail.
    fn converse(&self, stream: &TcpStream) -> io::Result<()> {
        let mut answers = stream;
        let mut lines = BufReader::new(stream).lines();
        let mut recipients = Vec::new();
        answers.write_all(b"220 sink\r\n")?;
        while let Some(line) = lines.next().transpose()? {
            let verb = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
            match verb.as_str() {
                "QUIT" => return answers.write_all(b"221 bye\r\n"),
                "DATA" => {
                    answers.write_all(b"354 go on\r\n")?;
                    let id = message_id(&mut lines)?;
                    if !self.take(&id, &std::mem::take(&mut recipients)) {
                        return Ok(());
                    }
                    let acknowledged = answers.write_all(b"250 taken\r\n");
                    let mut book = self.book();
                    let tally = book.mails.entry(id).or_default();
                    match &acknowledged {
                        Ok(()) => tally.acknowledged += 1,
                        Err(_) => tally.cut_off += 1,
                    }
                    drop(book);
                    acknowledged?;
                    continue;
                }
                "MAIL" => recipients.clear(),
                "RCPT" => recipients.extend(address(&line)),
                _ => {}
            }
            answers.write_all(b"250 ok\r\n")?;
        }
        Ok(())
    }

    /// Writes a mail down; `false` when it was held back and then cut off.
    fn take(&self, id: &str, recipients: &[String]) -> bool {
        let mut book = self.book();
        let tally = book.mails.entry(id.to_owned()).or_default();
        for to in recipients {
            if !tally.to.contains(to) {
                tally.to.push(to.clone());
            }
        }
        if !book.holding {
            return true;
        }
        book.held += 1;
        let waited = self.released.wait_while(book, |book| book.holding);
        let mut book = waited.unwrap_or_else(PoisonError::into_inner);
        book.mails.entry(id.to_owned()).or_default().cut_off += 1;
        false
    }
}

/// Reads a message to its end; answers its Message-ID.
fn message_id(lines: &mut impl Iterator<Item = io::Result<String>>) -> io::Result<String> {
    let mut id = None;
    loop {
        let line = lines.next().ok_or(io::ErrorKind::UnexpectedEof)??;
        if line == "." {
            return id.ok_or_else(|| io::Error::other("a message without Message-ID"));
        }
        if let Some((name, value)) = line.split_once(':')
            && id.is_none()
            && name.eq_ignore_ascii_case("message-id")
        {
            id = Some(value.trim().to_owned());
        }
    }
}

/// `RCPT TO:<ann@clinic.example>`
fn address(line: &str) -> Option<String> {
    Some(line.split_once('<')?.1.split_once('>')?.0.to_owned())
}
