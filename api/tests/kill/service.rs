//! The service as its user starts it: the real binary, in a folder of its own.

use std::{
    fs::{self, File},
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

use crate::{
    ground::{Ground, within},
    sink::Sink,
};

pub struct Service {
    process: Child,
    log: PathBuf,
}

impl Service {
    /// Starts it, its mail going to `sink`, and waits until it says that it is ready.
    pub fn start(ground: &Ground, sink: &Sink) -> Self {
        let address = free_address();
        let log = ground.folder().join("service.log");
        let output = File::options().create(true).append(true).open(&log).expect("own folder");
        let process = Command::new(env!("CARGO_BIN_EXE_rollcall"))
            .current_dir(ground.folder())
            .env_remove("DATABASE_URL")
            .env_remove("ROLLCALL_ENV")
            .env("ROLLCALL_DATA_DIR", ground.folder())
            .env("ROLLCALL_LISTEN", address.to_string())
            .env("ROLLCALL_SMTP_URL", sink.url())
            .env("ROLLCALL_MAIL_FROM", "Portal <portal@plan.example>")
            .stdin(Stdio::null())
            .stdout(output.try_clone().expect("own file"))
            .stderr(output)
            .spawn()
            .expect("the service starts");
        let mut service = Self { process, log };
        within(Duration::from_secs(120), "the service is ready", || service.is_ready(address));
        ground.moved_to(address);
        service
    }

    fn is_ready(&mut self, address: SocketAddr) -> Option<()> {
        if let Some(status) = self.process.try_wait().expect("the service is ours") {
            let log = fs::read_to_string(&self.log).unwrap_or_default();
            panic!("the service ended with {status}:\n{log}");
        }
        let mut connection = TcpStream::connect(address).ok()?;
        let request = "GET /health/ready HTTP/1.1\r\nhost: service\r\nconnection: close\r\n\r\n";
        connection.write_all(request.as_bytes()).ok()?;
        let mut answer = String::new();
        connection.read_to_string(&mut answer).ok()?;
        answer.starts_with("HTTP/1.1 200").then_some(())
    }

    /// SIGKILL.
    pub fn kill(mut self) {
        self.process.kill().expect("the service was running");
        self.process.wait().expect("the service is ours");
    }

    /// SIGTERM; it has to end well.
    pub fn stop(mut self) {
        let pid = libc::pid_t::try_from(self.process.id()).expect("process ids fit pid_t");
        // SAFETY: a plain system call; the child was not reaped, so the id is still its own.
        assert_eq!(unsafe { libc::kill(pid, libc::SIGTERM) }, 0);
        let status = within(Duration::from_secs(30), "the service has stopped", || {
            self.process.try_wait().expect("the service is ours")
        });
        assert!(status.success(), "{status}");
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // Only after a failure is it still running; then nothing more can be done about an error.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Free now; nobody else is likely to take it within the second it takes to start.
fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("a bound listener has an address")
}
