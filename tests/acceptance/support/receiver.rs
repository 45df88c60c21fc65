//! A receiver of webhooks, as a SIEM's: takes what is posted, or does as it was told.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// What becomes of a request.
#[derive(Clone, Debug)]
pub enum Reply {
    /// This status, and this text.
    Status(u16, &'static str),
    /// It is taken, and the connection breaks before the answer.
    Broken,
    /// Another place, by 307.
    Elsewhere(String),
}

/// One request that came.
#[derive(Clone, Debug)]
pub struct Posted {
    /// In small letters.
    headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// What was answered; 0 where nothing was.
    pub answered: u16,
}

impl Posted {
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    /// The positions of its lines.
    pub fn positions(&self) -> Vec<i64> {
        let text = std::str::from_utf8(&self.body).expect("UTF-8");
        let position = |line: &str| {
            let line: serde_json::Value = serde_json::from_str(line).expect("a line of JSON");
            let ours = line["position"].as_i64();
            ours.or(line["metadata"]["sequence"].as_i64()).expect("a position")
        };
        text.lines().map(position).collect()
    }
}

#[derive(Default)]
struct State {
    posted: Vec<Posted>,
    replies: VecDeque<Reply>,
    always: Option<Reply>,
}

/// A receiver on this machine.
pub struct Receiver {
    port: u16,
    state: Arc<Mutex<State>>,
    task: JoinHandle<()>,
}

impl Receiver {
    pub async fn opened() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let state = Arc::<Mutex<State>>::default();
        let shared = Arc::clone(&state);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&shared)));
            }
        });
        Self { port, state, task }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/in", self.port)
    }

    /// Answers the next requests so.
    pub fn answer(&self, replies: impl IntoIterator<Item = Reply>) {
        self.state.lock().expect("no panic while held").replies.extend(replies);
    }

    /// Answers all requests so, or takes them again.
    pub fn always(&self, reply: Option<Reply>) {
        self.state.lock().expect("no panic while held").always = reply;
    }

    /// Everything that came, in its order.
    pub fn posted(&self) -> Vec<Posted> {
        self.state.lock().expect("no panic while held").posted.clone()
    }

    /// What was taken.
    pub fn taken(&self) -> Vec<Posted> {
        self.posted().into_iter().filter(|posted| posted.answered == 204).collect()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Answers one request and closes.
async fn serve(stream: TcpStream, state: Arc<Mutex<State>>) {
    let mut stream = BufReader::new(stream);
    let (mut headers, mut length) = (Vec::new(), 0);
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.unwrap_or(0) == 0 {
            return;
        }
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':') {
            let (name, value) = (name.to_ascii_lowercase(), value.trim().to_owned());
            if name == "content-length" {
                length = value.parse().unwrap_or(0);
            }
            headers.push((name, value));
        }
    }
    let mut body = vec![0; length];
    if stream.read_exact(&mut body).await.is_err() {
        return;
    }
    let reply = {
        let mut state = state.lock().expect("no panic while held");
        let reply = state.replies.pop_front().or(state.always.clone());
        let answered = match &reply {
            None => 204,
            Some(Reply::Status(status, _)) => *status,
            Some(Reply::Broken) => 0,
            Some(Reply::Elsewhere(_)) => 307,
        };
        state.posted.push(Posted { headers, body, answered });
        reply
    };
    let response = match reply {
        None => "HTTP/1.1 204 X\r\nconnection: close\r\n\r\n".to_owned(),
        Some(Reply::Status(status, text)) => format!(
            "HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{text}",
            text.len()
        ),
        Some(Reply::Broken) => return,
        Some(Reply::Elsewhere(url)) => format!(
            "HTTP/1.1 307 X\r\nlocation: {url}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
        ),
    };
    let _ = stream.get_mut().write_all(response.as_bytes()).await;
}
