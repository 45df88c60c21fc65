//! A proxy in front of the server that can lose one answer: the server has done what it was asked,
//! and the client never hears of it.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use sqlx::postgres::PgConnectOptions;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream, UnixStream},
};

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// Connections through it work until one of them is doomed.
pub struct Proxy {
    port: u16,
    armed: Arc<AtomicBool>,
}

impl Proxy {
    pub async fn before(server: PgConnectOptions) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let armed = Arc::new(AtomicBool::new(false));
        let watched = Arc::clone(&armed);
        tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                let upstream = upstream(&server).await;
                tokio::spawn(relay(client, upstream, Arc::clone(&watched)));
            }
        });
        Self { port, armed }
    }

    /// How to connect through it to `database` as `user`.
    pub fn options(&self, database: &str, user: &str) -> PgConnectOptions {
        let options = PgConnectOptions::new_without_pgpass().host("127.0.0.1").port(self.port);
        options.database(database).username(user)
    }

    /// Loses the answer to the next thing any client says, and its connection with it.
    pub fn lose_next_answer(&self) {
        self.armed.store(true, Ordering::SeqCst);
    }

    /// Whether an answer was lost since it was asked for.
    pub fn has_struck(&self) -> bool {
        !self.armed.load(Ordering::SeqCst)
    }
}

async fn upstream(server: &PgConnectOptions) -> Box<dyn Stream> {
    let port = server.get_port();
    match server.get_socket() {
        Some(folder) => {
            let path = folder.join(format!(".s.PGSQL.{port}"));
            Box::new(UnixStream::connect(path).await.unwrap())
        }
        None => Box::new(TcpStream::connect((server.get_host(), port)).await.unwrap()),
    }
}

async fn relay(mut client: TcpStream, mut server: Box<dyn Stream>, armed: Arc<AtomicBool>) {
    let (mut said, mut answered) = ([0; 1 << 16], [0; 1 << 16]);
    let mut doomed = false;
    loop {
        tokio::select! {
            read = client.read(&mut said) => match read {
                Ok(length @ 1..) => {
                    doomed |= armed.swap(false, Ordering::SeqCst);
                    server.write_all(&said[..length]).await.unwrap();
                }
                Ok(0) | Err(_) => return,
            },
            read = server.read(&mut answered) => match read {
                Ok(length @ 1..) if !doomed => {
                    client.write_all(&answered[..length]).await.unwrap();
                }
                Ok(_) | Err(_) => return,
            },
        }
    }
}
