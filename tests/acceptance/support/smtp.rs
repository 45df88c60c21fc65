//! A mail server that takes mail, or refuses some mailboxes for good.

use std::sync::{Arc, Mutex};

use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// A server on this machine.
pub struct MailServer {
    port: u16,
    refused: Arc<Mutex<Vec<String>>>,
    taken: Arc<Mutex<Vec<String>>>,
    task: Option<JoinHandle<()>>,
}

impl MailServer {
    /// A port where nobody listens until [`Self::open`].
    pub async fn closed() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        Self { port, refused: Arc::default(), taken: Arc::default(), task: None }
    }

    /// A server that takes everything for now.
    pub async fn opened() -> Self {
        let mut server = Self::closed().await;
        server.open().await;
        server
    }

    /// Listens from now on.
    pub async fn open(&mut self) {
        let listener = TcpListener::bind(("127.0.0.1", self.port)).await.expect("the port is free");
        let (refused, taken) = (Arc::clone(&self.refused), Arc::clone(&self.taken));
        self.task = Some(tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(converse(stream, Arc::clone(&refused), Arc::clone(&taken)));
            }
        }));
    }

    /// Answers 550 for a mailbox from now on.
    pub fn refuse(&self, mailbox: &str) {
        self.refused.lock().expect("no panic while held").push(mailbox.to_owned());
    }

    /// What ROLLCALL_SMTP_URL would say.
    pub fn url(&self) -> String {
        format!("smtp://127.0.0.1:{}", self.port)
    }

    /// The messages taken, as they came.
    pub fn taken(&self) -> Vec<String> {
        self.taken.lock().expect("no panic while held").clone()
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

async fn converse(
    stream: TcpStream,
    refused: Arc<Mutex<Vec<String>>>,
    taken: Arc<Mutex<Vec<String>>>,
) -> Option<()> {
    let is_refused = |line: &str| {
        let refused = refused.lock().expect("no panic while held");
        refused.iter().any(|mailbox| line.contains(mailbox))
    };
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    write.write_all(b"220 mail.test\r\n").await.ok()?;
    while let Some(line) = lines.next_line().await.ok()? {
        let verb = line.to_ascii_uppercase();
        let reply = if verb.starts_with("DATA") {
            write.write_all(b"354 go on\r\n").await.ok()?;
            let mut message = String::new();
            while let Some(line) = lines.next_line().await.ok()?.filter(|line| line != ".") {
                message.push_str(&line);
                message.push('\n');
            }
            taken.lock().expect("no panic while held").push(message);
            "250 2.0.0 taken"
        } else if verb.starts_with("RCPT") && is_refused(&line) {
            "550 5.1.1 no such mailbox"
        } else if verb.starts_with("QUIT") {
            "221 bye"
        } else {
            "250 ok"
        };
        write.write_all(format!("{reply}\r\n").as_bytes()).await.ok()?;
    }
    Some(())
}
