//! The dispatcher: every command, from whichever edge, takes this road.
//!
//! Invariant: a command takes effect at most once per idempotency key, and a replay is authorised
//! again before it learns the earlier result (GN-28).

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use rollcall_domain::{
    Code, Refusal,
    api_keys::Scope,
    audit::{AccessDenied, Denial, DenialCommand},
    kernel::ids::TenantId,
    policies::Feature,
};
use rollcall_journal::{CommitError, StoredResult};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    Access, Caller, Commands, Context, DispatchError, Failure,
    authorization::authorise_work,
    context::{header, load_policy, version_conflict},
    permissions::right_use,
};

/// Attempts before a conflict is the client's: the first, and one on fresh state. A guard that
/// moved under a busy organisation deserves more, because the client did nothing wrong: another
/// process that writes the same stream may be faster several times in a row.
const ATTEMPTS: usize = 16;

/// How one attempt ended.
enum Attempt<T> {
    Done(Receipt<T>),
    /// Something read has changed meanwhile, perhaps this stream.
    Outrun(Option<(String, Uuid)>),
    /// What it went on from was not written, through no fault of its own.
    Orphaned,
}

/// The fingerprint of a command that no client's key stands behind.
pub const NO_KEY: [u8; 32] = [0; 32];

/// An intent, with the verb of the catalogue (`SetNpiPermissions`).
#[async_trait]
pub trait Command: Send + Sync {
    /// The catalogue's name.
    const NAME: &'static str;
    /// Whether the output holds a secret, which a replay must not repeat (RESULT_WITHHELD).
    const SECRET_OUTPUT: bool = false;
    /// Whether visitors may send it, because it verifies what they bring (`Access::Public`).
    const FOR_VISITORS: bool = false;
    /// Whether the time of its answer could tell which identifiers exist (GN-09): then the answer
    /// waits for the next beat, which comes later than anything that differs.
    const ANSWERS_ON_THE_BEAT: bool = false;
    /// What a machine's key may send it with; without, it is for people alone (GN-28).
    const SCOPE: Option<Scope> = None;
    /// The feature it belongs to: while that is off or coming soon, it is refused (MC-01).
    const FEATURE: Option<Feature> = None;
    type Output: Serialize + DeserializeOwned + Send;

    /// What it demands of the caller.
    fn access(&self) -> Access;

    /// The tenant it writes to, where that is not the caller's (only operators' commands).
    fn tenant(&self, caller: &Caller) -> TenantId {
        caller.tenant
    }

    /// Loads, decides, records; the dispatcher commits. May run more than once per dispatch, so it
    /// must have no effect but through the context.
    async fn handle(&self, cx: &mut Context<'_>) -> Result<Self::Output, Failure>;
}

/// A client's key for a command it may repeat.
#[derive(Clone, Debug)]
pub struct IdempotencyKey {
    pub key: String,
    /// Keyed hash of the whole input; another input under the same key is refused.
    pub fingerprint: [u8; 32],
}

/// What an accepted command answers.
#[derive(Clone, Debug)]
pub struct Receipt<T> {
    pub output: T,
    /// The tenant position that holds its effect; queries take it as `minPosition`.
    pub position: i64,
}

/// Twice as long as a password takes to be compared, which is the longest thing a visitor waits for.
const BEAT: Duration = Duration::from_millis(100);

impl Commands {
    /// Runs `command` for `caller`.
    ///
    /// # Errors
    /// The command's refusal, `VERSION_CONFLICT` after repeated conflicts, `IDEMPOTENCY_KEY_REUSED`,
    /// `RESULT_WITHHELD`, or a fault of the service.
    pub async fn dispatch<C: Command>(
        &self,
        caller: &Caller,
        key: Option<&IdempotencyKey>,
        command: &C,
    ) -> Result<Receipt<C::Output>, DispatchError> {
        let tenant = command.tenant(caller);
        let ids = identify(tenant, caller, key, C::NAME)?;
        let begun = Instant::now();
        let done = self.run(caller, ids, key.is_some(), command).await;
        if C::ANSWERS_ON_THE_BEAT {
            let beats = begun.elapsed().as_millis() / BEAT.as_millis() + 1;
            let beats = u32::try_from(beats).unwrap_or(u32::MAX);
            tokio::time::sleep_until((begun + BEAT * beats).into()).await;
        }
        done
    }

    /// Runs `command` under a command id the caller derived, as processes do: the same id is the
    /// same command, however often it is sent.
    ///
    /// # Errors
    /// As [`Self::dispatch`].
    pub async fn dispatch_as<C: Command>(
        &self,
        caller: &Caller,
        ids: (Uuid, [u8; 32]),
        command: &C,
    ) -> Result<Receipt<C::Output>, DispatchError> {
        self.run(caller, ids, true, command).await
    }

    /// What `command` would answer `caller` now, by all its checks; nothing is written.
    ///
    /// # Errors
    /// As [`Self::dispatch`], but for the key.
    pub async fn rehearse<C: Command>(
        &self,
        caller: &Caller,
        command: &C,
    ) -> Result<C::Output, DispatchError> {
        let now = self.journal.now();
        let access = command.access();
        let demand = C::SCOPE.map_or_else(|| access.into(), |scope| access.or_key(scope));
        let mut refusal = version_conflict(None);
        for _ in 0..ATTEMPTS {
            let ids = (Uuid::now_v7(), NO_KEY);
            let header = header(caller, command.tenant(caller), C::NAME, ids, now);
            let mut work = self.journal.begin(header);
            let authority = authorise_work(&mut work, caller, demand, now).await?;
            let (_, policy) = load_policy(&mut work, now).await?;
            let used = Vec::new();
            let mut cx = Context { commands: self, caller, authority, work, now, policy, used };
            let available = C::FEATURE.map_or(Ok(()), |feature| cx.policy.require(feature));
            let handled = match available {
                Ok(()) => command.handle(&mut cx).await,
                Err(refused) => Err(refused.into()),
            };
            match handled {
                Ok(output) => return Ok(output),
                Err(Failure::Refused(refused) | Failure::RefusedOnRecord(refused)) => {
                    refusal = refused;
                    // One that rests on an outdated state is no answer.
                    if cx.work.still_holds().await? {
                        break;
                    }
                }
                Err(other) => return Err(other.into()),
            }
        }
        Err(refusal.into())
    }

    /// `repeatable`: the id may have been sent before; one that was drawn for this command was not.
    async fn run<C: Command>(
        &self,
        caller: &Caller,
        ids: (Uuid, [u8; 32]),
        repeatable: bool,
        command: &C,
    ) -> Result<Receipt<C::Output>, DispatchError> {
        let mut busy = BTreeSet::new();
        let mut outrun = 0;
        while outrun < ATTEMPTS {
            match self.attempt(caller, ids, repeatable, command, &busy).await? {
                Attempt::Done(receipt) => return Ok(receipt),
                Attempt::Outrun(stream) => {
                    outrun += 1;
                    busy.extend(stream);
                }
                Attempt::Orphaned => {}
            }
        }
        Err(version_conflict(None).into())
    }

    /// One attempt, after waiting for its turn on the streams where it was outrun before.
    async fn attempt<C: Command>(
        &self,
        caller: &Caller,
        ids: (Uuid, [u8; 32]),
        repeatable: bool,
        command: &C,
        busy: &BTreeSet<(String, Uuid)>,
    ) -> Result<Attempt<C::Output>, DispatchError> {
        debug_assert!(
            C::FOR_VISITORS || command.access() != Access::Public,
            "{} is public: say so with FOR_VISITORS",
            C::NAME
        );
        let now = self.journal.now();
        let tenant = command.tenant(caller);
        let access = command.access();
        let demand = C::SCOPE.map_or_else(|| access.into(), |scope| access.or_key(scope));
        let mut work = self.journal.begin(header(caller, tenant, C::NAME, ids, now));
        for (aggregate_type, id) in busy {
            work.take_turn(aggregate_type, *id).await;
        }
        let authority = match authorise_work(&mut work, caller, demand, now).await {
            Ok(authority) => authority,
            Err(Failure::Refused(refusal)) => {
                if !work.still_holds().await? {
                    return Ok(Attempt::Outrun(None));
                }
                self.record_denial(caller, C::NAME, &refusal).await?;
                return Err(refusal.into());
            }
            Err(other) => return Err(other.into()),
        };
        if repeatable && let Some(stored) = self.journal.stored_result(tenant, ids.0).await? {
            return replay::<C>(stored, &ids.1).map(Attempt::Done);
        }
        if ids.1 != NO_KEY {
            work.remember();
        }
        let (policy_version, policy) = load_policy(&mut work, now).await?;
        let header = work.header_mut();
        header.actor = authority.actor;
        header.organization = authority.organization;
        header.policy_version = policy_version;
        let used = Vec::new();
        let mut cx = Context { commands: self, caller, authority, work, now, policy, used };
        let available = C::FEATURE.map_or(Ok(()), |feature| cx.policy.require(feature));
        let handled = match available {
            Ok(()) => command.handle(&mut cx).await,
            Err(refusal) => Err(refusal.into()),
        };
        let Context { work, authority, policy, used, .. } = cx;
        let (output, refusal) = match handled {
            Ok(output) => (Some(output), None),
            Err(Failure::RefusedOnRecord(refusal)) => (None, Some(refusal)),
            Err(Failure::Refused(refusal)) => {
                // A refusal that rests on an outdated state is no answer.
                if !work.still_holds().await? {
                    return Ok(Attempt::Outrun(None));
                }
                self.record_denial(caller, C::NAME, &refusal).await?;
                return Err(refusal.into());
            }
            Err(other) => return Err(other.into()),
        };
        let result = match (&output, &refusal) {
            (Some(_), _) if C::SECRET_OUTPUT => json!({ "withheld": true }),
            (Some(output), _) => json!({ "ok": output }),
            (None, refusal) => json!({ "refused": refusal }),
        };
        match work.commit(result).await {
            Ok(committed) => match (output, refusal) {
                (Some(output), _) => {
                    let used = right_use::used(C::NAME, &authority, used);
                    self.right_uses.note(tenant, policy.time_zone(), now, used).await;
                    Ok(Attempt::Done(Receipt { output, position: committed.position }))
                }
                (None, Some(refusal)) => Err(refusal.into()),
                (None, None) => unreachable!("a handler answers an output or a refusal"),
            },
            Err(CommitError::Duplicate(stored)) => replay::<C>(stored, &ids.1).map(Attempt::Done),
            Err(CommitError::Conflict { aggregate_type, aggregate_id }) => {
                Ok(Attempt::Outrun(Some((aggregate_type, aggregate_id))))
            }
            Err(CommitError::Orphaned) => Ok(Attempt::Orphaned),
            Err(CommitError::Taken(refusal)) => Err(refusal.into()),
            Err(CommitError::Journal(error)) => Err(error.into()),
        }
    }

    /// A signed-in person or a machine that reached beyond their rights leaves a trace; visitors
    /// would only let anybody fill the journal.
    async fn record_denial(
        &self,
        caller: &Caller,
        command: &'static str,
        refusal: &Refusal,
    ) -> Result<(), DispatchError> {
        let security_relevant = matches!(
            refusal.code,
            Code::Forbidden | Code::NotOrgAdmin | Code::NpiNotPermitted | Code::NotCounterparty
        );
        let is_known = caller.user().is_some() || caller.key().is_some();
        if !security_relevant || !is_known {
            return Ok(());
        }
        let now = self.journal.now();
        let id = Uuid::now_v7();
        let mut work =
            self.journal.begin(header(caller, caller.tenant, command, (id, NO_KEY), now));
        let (version, policy) = load_policy(&mut work, now).await?;
        work.header_mut().policy_version = version;
        let decision = rollcall_domain::Decision { now, actor: caller.actor(), policy: &policy };
        let denial = DenialCommand::Record(AccessDenied {
            command: command.to_owned(),
            code: refusal.code,
            user: caller.user(),
            organization: caller.organization(),
            npi: None,
        });
        work.decide::<Denial>(id, &decision, denial).await.map_err(Failure::from)?;
        match work.commit(Value::Null).await {
            Ok(_)
            | Err(
                CommitError::Conflict { .. } | CommitError::Orphaned | CommitError::Duplicate(_),
            ) => Ok(()),
            Err(CommitError::Taken(refusal)) => Err(refusal.into()),
            Err(CommitError::Journal(error)) => Err(error.into()),
        }
    }
}

/// The command id: derived from the key within tenant, actor and command, or fresh.
fn identify(
    tenant: TenantId,
    caller: &Caller,
    key: Option<&IdempotencyKey>,
    name: &str,
) -> Result<(Uuid, [u8; 32]), Refusal> {
    let Some(IdempotencyKey { key, fingerprint }) = key else {
        return Ok((Uuid::now_v7(), NO_KEY));
    };
    if key.is_empty() || key.len() > 255 {
        return Err(Refusal::new(
            Code::FieldInvalid,
            "An idempotency key has 1 to 255 characters. Use a fresh UUID per command.",
        )
        .at("idempotencyKey"));
    }
    let actor = caller.actor().id.map_or_else(|| "anonymous".to_owned(), |id| id.to_string());
    Ok((tenant.derive("command", &format!("{actor}\u{1f}{name}\u{1f}{key}")), *fingerprint))
}

/// Answers a repeated command from what was stored at its first time.
fn replay<C: Command>(
    stored: StoredResult,
    fingerprint: &[u8; 32],
) -> Result<Receipt<C::Output>, DispatchError> {
    if stored.request_hash[..] != fingerprint[..] {
        return Err(Refusal::new(
            Code::IdempotencyKeyReused,
            "This idempotency key was used for another input. Use a fresh key.",
        )
        .at("idempotencyKey")
        .into());
    }
    if stored.result.get("withheld").is_some() {
        return Err(Refusal::new(
            Code::ResultWithheld,
            "This command has been carried out; its secret result is given only once.",
        )
        .into());
    }
    if let Some(refusal) = stored.result.get("refused") {
        let refusal: Refusal = serde_json::from_value(refusal.clone())
            .map_err(|error| DispatchError::Fault(error.to_string()))?;
        return Err(refusal.into());
    }
    let output = serde_json::from_value(stored.result.get("ok").cloned().unwrap_or_default())
        .map_err(|error| DispatchError::Fault(error.to_string()))?;
    Ok(Receipt { output, position: stored.position })
}
