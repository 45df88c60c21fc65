//! Several streams of one type loaded at once, for rules over all of them.
//!
//! Invariant: each is answered as if it had been loaded alone; the queries do not grow with their number.

use std::sync::Arc;

use rollcall_domain::{Decider, kernel::ids::TenantId};
use uuid::Uuid;

use crate::{
    cache::Cached,
    error::JournalError,
    journal::{Inner, Journal, Loaded},
    load,
};

impl Journal {
    /// As [`Journal::load`], of several streams, in the order of `ids`.
    ///
    /// # Errors
    /// As [`Journal::load`].
    pub(crate) async fn load_together<A: Decider>(
        &self,
        tenant: TenantId,
        ids: &[Uuid],
    ) -> Result<Vec<Loaded<A>>, JournalError> {
        let Inner { loader, keys, upcasters, cache, .. } = &*self.0;
        let read_from = cache.moment();
        let (mut all, mut behind) = (Vec::with_capacity(ids.len()), Vec::new());
        for (nth, id) in ids.iter().enumerate() {
            let (known, outdated) = self.cached(tenant, *id).unwrap_or((Loaded::default(), true));
            if outdated {
                behind.push((nth, (*id, known.version)));
            }
            all.push(known);
        }
        let known: Vec<_> = behind.iter().map(|(_, known)| *known).collect();
        let streams = loader.streams(tenant, A::TYPE, &known).await?;
        let ends: Vec<_> = streams
            .iter()
            .map(|events| (events.len(), events.last().map(|it| it.sequence)))
            .collect();
        let stored: Vec<_> = streams.into_iter().flatten().collect();
        let events: Vec<A::Event> = load::decode(keys, upcasters, tenant, &stored).await?;
        let mut events = events.iter();
        for ((nth, (id, _)), (count, last)) in behind.into_iter().zip(ends) {
            let loaded: &mut Loaded<A> = &mut all[nth];
            if let Some(last) = last {
                let state = Arc::make_mut(&mut loaded.state);
                events.by_ref().take(count).for_each(|event| state.evolve(event));
                loaded.version = last;
            }
            if loaded.version > 0 {
                let Loaded { state, version } = loaded.clone();
                let cached = Cached { state: state as _, version, outdated: false };
                cache.put((tenant, A::TYPE, id), cached, read_from);
            }
        }
        Ok(all)
    }
}
