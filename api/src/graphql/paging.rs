//! Relay connections with keyset cursors that stay stable while the journal grows.

use async_graphql::{InputObject, SimpleObject};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rollcall_domain::{Code, Refusal};
use serde::{Serialize, de::DeserializeOwned};

/// Page size when `first` is not given.
pub const DEFAULT_PAGE: i32 = 25;
/// The largest page.
pub const MAX_PAGE: i32 = 100;

/// What a list weighs in a document: its page times what each row weighs.
#[must_use]
pub fn cost(first: Option<i32>, of_each: usize) -> usize {
    let rows = first.unwrap_or(DEFAULT_PAGE).clamp(0, MAX_PAGE);
    usize::try_from(rows).unwrap_or(0) * of_each + 1
}

/// Which page is asked for.
#[derive(Clone, Debug)]
pub struct Page<C> {
    /// 1 to 100.
    pub first: i64,
    /// The key after which the page begins.
    pub after: Option<C>,
}

impl<C: DeserializeOwned> Page<C> {
    /// Reads `first` and `after`.
    ///
    /// # Errors
    /// `PAGE_SIZE_EXCEEDED`, or `FIELD_INVALID` for a cursor of another list.
    pub fn new(first: Option<i32>, after: Option<String>) -> Result<Self, Refusal> {
        let first = first.unwrap_or(DEFAULT_PAGE);
        if !(0..=MAX_PAGE).contains(&first) {
            let message = format!("Ask for 0 to {MAX_PAGE} at a time and page on with `after`.");
            return Err(Refusal::new(Code::PageSizeExceeded, message).at("first"));
        }
        let after = after.map(|cursor| decode(&cursor)).transpose()?;
        Ok(Self { first: first.into(), after })
    }
}

fn decode<C: DeserializeOwned>(cursor: &str) -> Result<C, Refusal> {
    URL_SAFE_NO_PAD
        .decode(cursor)
        .ok()
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .ok_or_else(|| {
            Refusal::new(Code::FieldInvalid, "Pass a cursor that this list gave.").at("after")
        })
}

/// The opaque form of a row's key.
pub fn cursor<C: Serialize>(key: &C) -> String {
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(key).expect("keys are plain values"))
}

/// Where a page stands in its list (Relay).
#[derive(Clone, Debug, Default, SimpleObject)]
pub struct PageInfo {
    pub has_next_page: bool,
    pub has_previous_page: bool,
    pub start_cursor: Option<String>,
    pub end_cursor: Option<String>,
}

/// The direction of a sort.
#[derive(Clone, Copy, Debug, PartialEq, Eq, async_graphql::Enum)]
pub enum OrderDirection {
    Asc,
    Desc,
}

/// Rows of one page with their keys, as a query answers them: one more than asked for tells that
/// there is a next page.
pub struct Rows<T, C> {
    pub rows: Vec<(C, T)>,
    /// Only when the client selected `totalCount`.
    pub total: Option<i64>,
}

/// Declares `XConnection` and `XEdge` for a node type, and how they are made of rows.
macro_rules! connection {
    ($connection:ident, $edge:ident, $node:ty) => {
        #[derive(async_graphql::SimpleObject)]
        pub struct $edge {
            pub cursor: String,
            pub node: $node,
        }

        /// One page of a list (Relay).
        #[derive(async_graphql::SimpleObject)]
        pub struct $connection {
            pub edges: Vec<$edge>,
            pub nodes: Vec<$node>,
            pub page_info: $crate::graphql::paging::PageInfo,
            /// How many there are in all; counted only when selected.
            pub total_count: Option<i32>,
        }

        impl $connection {
            /// Makes the page of rows read with one beyond `page.first`.
            pub fn of<C: serde::Serialize>(
                page: &$crate::graphql::paging::Page<C>,
                found: $crate::graphql::paging::Rows<$node, C>,
            ) -> Self {
                let asked = usize::try_from(page.first).unwrap_or(0);
                let more = found.rows.len() > asked;
                let edges: Vec<$edge> = found
                    .rows
                    .into_iter()
                    .take(asked)
                    .map(|(key, node)| $edge {
                        cursor: $crate::graphql::paging::cursor(&key),
                        node,
                    })
                    .collect();
                let page_info = $crate::graphql::paging::PageInfo {
                    has_next_page: more,
                    has_previous_page: page.after.is_some(),
                    start_cursor: edges.first().map(|edge| edge.cursor.clone()),
                    end_cursor: edges.last().map(|edge| edge.cursor.clone()),
                };
                let nodes = edges.iter().map(|edge| edge.node.clone()).collect();
                let total_count = found.total.map(|total| i32::try_from(total).unwrap_or(i32::MAX));
                Self { edges, nodes, page_info, total_count }
            }
        }
    };
}
pub(crate) use connection;

/// A half-open range of time, `from` included.
#[derive(Clone, Debug, Default, InputObject)]
pub struct TimeRange {
    pub from: Option<super::scalars::DateTime>,
    pub to: Option<super::scalars::DateTime>,
}
