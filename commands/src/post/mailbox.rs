//! The local mailbox: what is sent where nobody else carries it, readable in the development aids
//! and as files in the data folder.
//!
//! Invariant: only the service's user can read the files; a message that comes twice stands once, and
//! one to a person who is erased no more. The index names every file that is there: a line comes before
//! its file and goes after it, and one process at a time changes either.

use std::{
    collections::HashSet,
    fs::File,
    io,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use lettre::message::Mailbox as Sender;
use rollcall_domain::{
    kernel::ids::{DeliveryId, SubjectId, TenantId},
    notifications::Channel,
};
use serde::{Deserialize, Serialize};
use tokio::io::AsyncWriteExt;

use super::{
    Carrier, NotTaken, Parcel,
    eml::{compose, message_id},
};
use crate::messages::Address;

const INDEX: &str = "index.jsonl";
/// Locked by the process that changes the folder; the index itself is replaced now and then.
const LOCK: &str = "index.lock";

/// One message in the mailbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Item {
    pub id: DeliveryId,
    pub channel: Channel,
    /// Email address, telephone number or envelope.
    pub to: String,
    pub subject: String,
    pub text: String,
    pub links: Vec<String>,
    pub codes: Vec<String>,
    pub sent_at: DateTime<Utc>,
    /// Whom it went to, as a subject of personal data; absent in the mailboxes of old versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<(TenantId, SubjectId)>,
}

/// The mailbox of one data folder. Clones are the same mailbox.
#[derive(Clone)]
pub struct Mailbox(Arc<Inner>);

struct Inner {
    folder: PathBuf,
    sender: Sender,
    items: Mutex<Vec<Item>>,
    /// Held while the folder is changed, within this process.
    index: tokio::sync::Mutex<()>,
}

impl Mailbox {
    /// Opens the mailbox in `folder`, with what was put into it before.
    ///
    /// # Errors
    /// The folder cannot be made or read.
    pub fn open(folder: &Path) -> io::Result<Self> {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let mut items: Vec<Item> = Vec::new();
        for item in read_index(&folder.join(INDEX))? {
            put(&mut items, item);
        }
        let sender = "Rollcall <rollcall@localhost>".parse().expect("a valid address");
        let inner = Inner {
            folder: folder.to_owned(),
            sender,
            items: Mutex::new(items),
            index: tokio::sync::Mutex::default(),
        };
        Ok(Self(Arc::new(inner)))
    }

    /// What was sent, oldest first; with `to`, to that address only.
    #[must_use]
    pub fn items(&self, to: Option<&str>) -> Vec<Item> {
        let meant = |item: &&Item| to.is_none_or(|to| item.to.eq_ignore_ascii_case(to));
        self.lock().iter().filter(meant).cloned().collect()
    }

    /// Whom messages went to.
    pub(crate) fn subjects(&self) -> HashSet<(TenantId, SubjectId)> {
        self.lock().iter().filter_map(|item| item.about).collect()
    }

    /// Takes the messages to these away, from the list, the index and the folder.
    ///
    /// # Errors
    /// A file cannot be changed.
    pub(crate) async fn forget(&self, gone: &HashSet<(TenantId, SubjectId)>) -> io::Result<()> {
        let is_gone = |item: &Item| item.about.is_some_and(|subject| gone.contains(&subject));
        let _turn = self.turn().await?;
        // As it stands in the folder: another process may have put something there.
        let (forgotten, kept): (Vec<_>, Vec<_>) =
            read_index(&self.0.folder.join(INDEX))?.into_iter().partition(is_gone);
        for item in &forgotten {
            for extension in ["eml", "pdf", "txt"] {
                let file = self.0.folder.join(format!("{}.{extension}", item.id));
                match tokio::fs::remove_file(&file).await {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                    Ok(()) | Err(_) => {}
                }
            }
        }
        let mut lines = Vec::new();
        for item in &kept {
            lines.extend(serde_json::to_vec(item)?);
            lines.push(b'\n');
        }
        let rewritten = self.0.folder.join("index.new");
        let mut options = tokio::fs::OpenOptions::new();
        let mut index =
            options.create(true).truncate(true).write(true).mode(0o600).open(&rewritten).await?;
        index.write_all(&lines).await?;
        index.sync_all().await?;
        tokio::fs::rename(&rewritten, self.0.folder.join(INDEX)).await?;
        self.lock().retain(|item| !is_gone(item));
        Ok(())
    }

    // The list is a plain value: a panic elsewhere cannot leave it half changed.
    fn lock(&self) -> MutexGuard<'_, Vec<Item>> {
        self.0.items.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn keep(&self, parcel: &Parcel) -> Result<(), NotTaken> {
        let content = &parcel.content;
        let (extension, bytes) = match (&content.to, &content.pdf) {
            (Address::Email(_), _) => ("eml", compose(parcel, &self.0.sender)?.formatted()),
            (Address::Postal { .. }, Some(pdf)) => ("pdf", pdf.clone()),
            (Address::Telephone(_) | Address::Postal { .. }, _) => {
                ("txt", content.text.clone().into_bytes())
            }
        };
        let item = Item {
            id: parcel.delivery,
            channel: parcel.channel,
            to: content.to.line(),
            subject: content.subject.clone(),
            text: content.text.clone(),
            links: content.links.clone(),
            codes: content.codes.clone(),
            sent_at: parcel.at,
            about: Some(parcel.subject),
        };
        let file = self.0.folder.join(format!("{}.{extension}", parcel.delivery));
        self.write(&file, &bytes, &item).await.map_err(|error| {
            NotTaken::ForNow(format!("the mailbox cannot be written: {}", error.kind()))
        })?;
        put(&mut self.lock(), item);
        Ok(())
    }

    async fn write(&self, file: &Path, bytes: &[u8], item: &Item) -> io::Result<()> {
        let mut line = serde_json::to_vec(item)?;
        line.push(b'\n');
        let _turn = self.turn().await?;
        let mut options = tokio::fs::OpenOptions::new();
        options.create(true).append(true).mode(0o600);
        let mut index = options.open(self.0.folder.join(INDEX)).await?;
        index.write_all(&line).await?;
        index.flush().await?;
        let mut options = tokio::fs::OpenOptions::new();
        options.create(true).truncate(true).write(true).mode(0o600);
        let mut document = options.open(file).await?;
        document.write_all(bytes).await?;
        document.flush().await
    }

    /// The folder is this task's to change, until what is given back is dropped.
    async fn turn(&self) -> io::Result<(tokio::sync::MutexGuard<'_, ()>, File)> {
        let turn = self.0.index.lock().await;
        let path = self.0.folder.join(LOCK);
        let locked = tokio::task::spawn_blocking(move || {
            let mut options = File::options();
            let file = options.create(true).truncate(false).write(true).mode(0o600).open(path)?;
            file.lock()?;
            Ok::<_, io::Error>(file)
        });
        Ok((turn, locked.await.map_err(io::Error::other)??))
    }
}

#[async_trait]
impl Carrier for Mailbox {
    async fn carry(&self, parcel: &Parcel) -> Result<String, NotTaken> {
        self.keep(parcel).await?;
        Ok(match parcel.channel {
            Channel::Email => message_id(parcel.delivery, &self.0.sender),
            Channel::Sms | Channel::Voice | Channel::Letter => parcel.delivery.to_string(),
        })
    }
}

fn read_index(path: &Path) -> io::Result<Vec<Item>> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    // A line that was cut off by a crash belongs to a message that will be sent again.
    Ok(text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
}

fn put(items: &mut Vec<Item>, item: Item) {
    match items.iter_mut().rev().find(|known| known.id == item.id) {
        Some(known) => *known = item,
        None => items.push(item),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use uuid::Uuid;

    use super::*;
    use crate::messages::Rendered;

    struct Folder(PathBuf);

    impl Folder {
        fn new() -> Self {
            Self(std::env::temp_dir().join(format!("rollcall-mailbox-{}", Uuid::new_v4())))
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    fn parcel(id: u128, to: Address) -> Parcel {
        let channel = match to {
            Address::Email(_) => Channel::Email,
            Address::Telephone(_) => Channel::Sms,
            Address::Postal { .. } => Channel::Letter,
        };
        let content = Rendered {
            to,
            subject: "Set your new password".to_owned(),
            text: "Open this link: https://portal.test/set-password/TOKEN".to_owned(),
            links: vec!["https://portal.test/set-password/TOKEN".to_owned()],
            codes: vec!["TOKEN".to_owned()],
            pdf: None,
        };
        let at = "2026-01-12T17:00:00Z".parse().expect("a time");
        let subject = (TenantId(Uuid::from_u128(1)), SubjectId(Uuid::from_u128(id)));
        Parcel { delivery: DeliveryId(Uuid::from_u128(id)), subject, channel, content, at }
    }

    #[tokio::test]
    async fn what_was_sent_is_listed_also_after_a_restart_and_a_repetition_stands_once() {
        let folder = Folder::new();
        let mailbox = Mailbox::open(&folder.0).unwrap();
        let ann = parcel(1, Address::Email("Ann@clinic.example".to_owned()));
        let first = mailbox.carry(&ann).await.unwrap();
        assert_eq!(mailbox.carry(&ann).await.unwrap(), first);
        mailbox.carry(&parcel(2, Address::Telephone("+12025550123".to_owned()))).await.unwrap();
        for mailbox in [mailbox, Mailbox::open(&folder.0).unwrap()] {
            assert_eq!(mailbox.items(None).len(), 2);
            assert_eq!(mailbox.items(Some("ann@clinic.example"))[0].codes, ["TOKEN"]);
            assert_eq!(mailbox.items(Some("+12025550123"))[0].channel, Channel::Sms);
            assert!(mailbox.items(Some("bob@clinic.example")).is_empty());
        }
    }

    #[tokio::test]
    async fn what_went_to_somebody_who_is_erased_is_taken_away() {
        let folder = Folder::new();
        let mailbox = Mailbox::open(&folder.0).unwrap();
        for n in [1, 2] {
            mailbox.carry(&parcel(n, Address::Email(format!("{n}@clinic.example")))).await.unwrap();
        }
        let first = (TenantId(Uuid::from_u128(1)), SubjectId(Uuid::from_u128(1)));
        assert!(mailbox.subjects().contains(&first));
        mailbox.forget(&[first].into()).await.unwrap();
        for mailbox in [mailbox, Mailbox::open(&folder.0).unwrap()] {
            assert_eq!(mailbox.items(None).len(), 1);
            assert!(mailbox.items(Some("1@clinic.example")).is_empty());
        }
        let mut left: Vec<_> = std::fs::read_dir(&folder.0).unwrap().flatten().collect();
        left.retain(|file| file.path().extension().is_some_and(|it| it == "eml"));
        assert_eq!(left.len(), 1);
    }

    #[tokio::test]
    async fn while_a_file_of_somebody_who_is_erased_cannot_be_removed_the_index_names_it() {
        let folder = Folder::new();
        let mailbox = Mailbox::open(&folder.0).unwrap();
        mailbox.carry(&parcel(1, Address::Email("1@clinic.example".to_owned()))).await.unwrap();
        let first = (TenantId(Uuid::from_u128(1)), SubjectId(Uuid::from_u128(1)));
        let in_the_way = folder.0.join(format!("{}.pdf", Uuid::from_u128(1)));
        std::fs::create_dir(&in_the_way).unwrap();
        mailbox.forget(&[first].into()).await.unwrap_err();
        let again = Mailbox::open(&folder.0).unwrap();
        assert!(again.subjects().contains(&first), "nobody would come back for it");
        std::fs::remove_dir(&in_the_way).unwrap();
        again.forget(&[first].into()).await.unwrap();
        assert!(Mailbox::open(&folder.0).unwrap().subjects().is_empty());
    }

    #[tokio::test]
    async fn what_one_process_puts_in_stays_while_another_takes_something_away() {
        let folder = Folder::new();
        let (one, other) = (Mailbox::open(&folder.0).unwrap(), Mailbox::open(&folder.0).unwrap());
        let gone = HashSet::from([(TenantId(Uuid::from_u128(1)), SubjectId(Uuid::from_u128(999)))]);
        let put = async {
            for n in 1..=50 {
                one.carry(&parcel(n, Address::Email(format!("{n}@clinic.example")))).await.unwrap();
            }
        };
        let take = async {
            for _ in 0..50 {
                other.forget(&gone).await.unwrap();
            }
        };
        tokio::join!(put, take);
        assert_eq!(Mailbox::open(&folder.0).unwrap().items(None).len(), 50);
    }

    #[tokio::test]
    async fn the_files_are_emails_and_nobody_else_may_read_them() {
        let folder = Folder::new();
        let mailbox = Mailbox::open(&folder.0).unwrap();
        let id = mailbox.carry(&parcel(7, Address::Email("ann@clinic.example".to_owned()))).await;
        let file = folder.0.join(format!("{}.eml", Uuid::from_u128(7)));
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.contains(&format!("Message-ID: {}", id.unwrap())), "{text}");
        assert!(text.contains("To: ann@clinic.example"), "{text}");
        for path in [file, folder.0.join(INDEX)] {
            assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        }
        assert_eq!(folder.0.metadata().unwrap().permissions().mode() & 0o777, 0o700);
    }
}
