//! A review's list as the events hold it. Invariant: what is to be decided comes first, what is carried
//! forward after it, and one hash is of both.

use super::{
    AccessReviewEvent, Carried, CarriedItem, LISTED_AT_ONCE, ReviewItem, Reviewed, Split,
    sha256_of_lines,
};
use crate::kernel::ids::{AccessReviewId, OrganizationId};

impl Split {
    /// A list of which everything is to be decided.
    #[must_use]
    pub fn all_of(listed: Vec<Reviewed>) -> Self {
        Self { listed, carried: Vec::new() }
    }

    /// How many items it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.listed.len() + self.carried.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All of it, in the order of its numbers.
    pub fn all(&self) -> impl Iterator<Item = &Reviewed> {
        self.listed.iter().chain(self.carried.iter().map(|it| &it.reviewed))
    }
}

fn item(number: u32, reviewed: &Reviewed) -> ReviewItem {
    ReviewItem { item: number, user: reviewed.user, access: reviewed.access.clone() }
}

fn carried(number: u32, it: &Carried) -> CarriedItem {
    let Carried { reviewed, certified } = it;
    let ReviewItem { item, user, access } = item(number, reviewed);
    CarriedItem { item, user, access, certified: *certified }
}

/// The hash of the list, and its parts.
pub(super) fn parts(
    organization: OrganizationId,
    list: &Split,
    compared_with: Option<AccessReviewId>,
) -> (String, Vec<AccessReviewEvent>) {
    let numbered = |(number, reviewed): (u32, &Reviewed)| item(number, reviewed);
    let sha256 = sha256_of_lines((1..).zip(list.all()).map(numbered));
    let listed: Vec<ReviewItem> = (1..).zip(&list.listed).map(numbered).collect();
    let before = u32::try_from(listed.len()).expect("no more than MOST_ITEMS");
    let carried: Vec<CarriedItem> =
        (before + 1..).zip(&list.carried).map(|(number, it)| carried(number, it)).collect();
    let listed = listed.chunks(LISTED_AT_ONCE).map(|part| AccessReviewEvent::ReviewItemsListed {
        organization,
        first: part[0].item,
        items: part.to_vec(),
    });
    // Nothing is carried but from a review.
    let from = compared_with.into_iter();
    let carried = from.flat_map(|from| {
        carried.chunks(LISTED_AT_ONCE).map(move |part| {
            AccessReviewEvent::ReviewItemsCarriedForward {
                organization,
                from,
                first: part[0].item,
                items: part.to_vec(),
            }
        })
    });
    (sha256, listed.chain(carried).collect())
}
