//! A telephone provider that answers as Twilio's API of 2010-04-01 says: form in, basic
//! authentication, 201 with a `sid`, or an error with its own code.

use std::sync::{Arc, Mutex};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::json;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// One request that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// `Messages` or `Calls`.
    pub resource: String,
    pub form: Vec<(String, String)>,
}

impl Taken {
    pub fn field(&self, name: &str) -> &str {
        self.form.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }
}

#[derive(Default)]
struct State {
    taken: Vec<Taken>,
    /// Status and error code for what comes next, first one first.
    refusals: Vec<(u16, u32)>,
}

/// A provider on this machine.
pub struct TelephoneCompany {
    port: u16,
    state: Arc<Mutex<State>>,
    task: JoinHandle<()>,
}

impl TelephoneCompany {
    pub const FROM: &'static str = "+12025550100";

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

    /// What ROLLCALL_TELEPHONE_URL would say.
    pub fn url(&self) -> String {
        format!("http://AC0123:s3cret@127.0.0.1:{}", self.port)
    }

    /// Answers the next request so, instead of taking it.
    pub fn refuse(&self, status: u16, code: u32) {
        self.state.lock().expect("no panic while held").refusals.push((status, code));
    }

    pub fn taken(&self) -> Vec<Taken> {
        self.state.lock().expect("no panic while held").taken.clone()
    }
}

impl Drop for TelephoneCompany {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Answers one request and closes.
async fn serve(stream: TcpStream, state: Arc<Mutex<State>>) {
    let mut stream = BufReader::new(stream);
    let (mut head, mut length) = (Vec::new(), 0);
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.unwrap_or(0) == 0 {
            return;
        }
        let line = line.trim_end().to_owned();
        if line.is_empty() {
            break;
        }
        let lower = line.to_ascii_lowercase();
        if let Some(value) = lower.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
        head.push(line);
    }
    let mut body = vec![0; length];
    if stream.read_exact(&mut body).await.is_err() {
        return;
    }
    let (status, answer) = answer(&head, &String::from_utf8_lossy(&body), &state);
    let response = format!(
        "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
         connection: close\r\n\r\n{answer}",
        answer.len()
    );
    let _ = stream.get_mut().write_all(response.as_bytes()).await;
}

fn answer(head: &[String], body: &str, state: &Mutex<State>) -> (u16, String) {
    let refusal = |status: u16, code: u32| {
        let more = format!("https://www.twilio.com/docs/errors/{code}");
        let said = json!({ "code": code, "message": "No.", "more_info": more, "status": status });
        (status, said.to_string())
    };
    let has = |wanted: &str| head.iter().any(|line| line.eq_ignore_ascii_case(wanted));
    let credentials = STANDARD.encode("AC0123:s3cret");
    let signed = head.iter().any(|line| {
        line.split_once(": ").is_some_and(|(name, value)| {
            name.eq_ignore_ascii_case("authorization") && value == format!("Basic {credentials}")
        })
    });
    if !signed {
        return refusal(401, 20003);
    }
    let path = head[0].strip_prefix("POST /2010-04-01/Accounts/AC0123/");
    let resource = path.and_then(|path| path.strip_suffix(".json HTTP/1.1"));
    let Some(resource @ ("Messages" | "Calls")) = resource else {
        return refusal(404, 20404);
    };
    if !has("content-type: application/x-www-form-urlencoded") {
        return refusal(400, 21602);
    }
    let url = reqwest::Url::parse(&format!("http://form/?{body}")).expect("a form");
    let form = url.query_pairs().map(|(key, value)| (key.into_owned(), value.into_owned()));
    let taken = Taken { resource: resource.to_owned(), form: form.collect() };
    let mut state = state.lock().expect("no panic while held");
    if !state.refusals.is_empty() {
        let (status, code) = state.refusals.remove(0);
        return refusal(status, code);
    }
    let content = if resource == "Messages" { "Body" } else { "Twiml" };
    for (field, code) in [("To", 21201), ("From", 21603), (content, 21602)] {
        if taken.field(field).is_empty() {
            return refusal(400, code);
        }
    }
    let kind = if resource == "Messages" { "SM" } else { "CA" };
    let sid = format!("{kind}{:032x}", state.taken.len());
    state.taken.push(taken);
    (201, json!({ "sid": sid, "status": "queued", "error_code": null }).to_string())
}
