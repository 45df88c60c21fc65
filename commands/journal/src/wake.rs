//! What wakes the runner between polls: appends by this process, and notifications of any process's.
//! All of it may be lost without harm: polling finds the events.

use std::{sync::Arc, time::Duration};

use sqlx::{PgPool, postgres::PgListener};
use tokio::{
    sync::{Notify, watch},
    task::JoinSet,
};

const APPENDED: &str = "es_appended";
const RECONNECT: Duration = Duration::from_secs(1);

/// Ends its tasks when dropped.
pub(crate) struct Wake {
    call: Arc<Notify>,
    _tasks: JoinSet<()>,
}

impl Wake {
    pub(crate) fn new(pool: PgPool, appended: Option<watch::Receiver<i64>>) -> Self {
        let call = Arc::new(Notify::new());
        let mut tasks = JoinSet::new();
        tasks.spawn(keep_listening(pool, Arc::clone(&call)));
        if let Some(mut appended) = appended {
            let call = Arc::clone(&call);
            tasks.spawn(async move {
                while appended.changed().await.is_ok() {
                    call.notify_one();
                }
            });
        }
        Self { call, _tasks: tasks }
    }

    /// Returns when called, or after `poll`. A call made before is not lost.
    pub(crate) async fn wait(&self, poll: Duration) {
        tokio::select! {
            () = self.call.notified() => {}
            () = tokio::time::sleep(poll) => {}
        }
    }
}

async fn keep_listening(pool: PgPool, call: Arc<Notify>) {
    loop {
        if let Err(error) = listen(&pool, &call).await {
            tracing::warn!(%error, "notifications are lost for now; the log is polled");
        }
        tokio::time::sleep(RECONNECT).await;
    }
}

async fn listen(pool: &PgPool, call: &Notify) -> Result<(), sqlx::Error> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.listen(APPENDED).await?;
    loop {
        call.notify_one();
        listener.recv().await?;
    }
}
