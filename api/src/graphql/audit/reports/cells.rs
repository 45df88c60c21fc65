//! From a row's cells to the types of the schema. Invariant: a cell that does not fit its type is a
//! fault, never a guess.

use async_graphql::{ID, InputType, Name, Value as Word};
use rollcall_projections::{audit_timeline::sentences::Names, reports::Row};
use serde_json::Value;
use uuid::Uuid;

use crate::graphql::{
    audit::{OrganizationReference, PersonReference},
    scalars::{Date, DateTime, NpiScalar, Position},
};

/// Why a row cannot be told.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the column {0} does not hold what it should")]
pub(super) struct Misfit(pub &'static str);

/// A type that a cell is read as.
pub(super) trait Cell: Sized {
    fn of(cell: &Value, names: &Names) -> Option<Self>;
}

/// The value in a column.
pub(super) fn read<T: Cell>(row: &Row, names: &Names, column: &'static str) -> Result<T, Misfit> {
    T::of(row.cell(column), names).ok_or(Misfit(column))
}

/// The word of an enum.
pub(super) fn word<T: InputType>(cell: &Value) -> Option<T> {
    T::parse(Some(Word::Enum(Name::new(cell.as_str()?)))).ok()
}

fn id(cell: &Value) -> Option<Uuid> {
    cell.as_str()?.parse().ok()
}

impl<T: Cell> Cell for Option<T> {
    fn of(cell: &Value, names: &Names) -> Option<Self> {
        if cell.is_null() { Some(None) } else { T::of(cell, names).map(Some) }
    }
}

impl Cell for String {
    fn of(cell: &Value, _: &Names) -> Option<Self> {
        cell.as_str().map(str::to_owned)
    }
}

impl Cell for i32 {
    fn of(cell: &Value, _: &Names) -> Option<Self> {
        cell.as_i64().map(|number| Self::try_from(number).unwrap_or(Self::MAX))
    }
}

impl Cell for bool {
    fn of(cell: &Value, _: &Names) -> Option<Self> {
        cell.as_bool()
    }
}

impl Cell for Vec<String> {
    fn of(cell: &Value, names: &Names) -> Option<Self> {
        cell.as_array()?.iter().map(|item| String::of(item, names)).collect()
    }
}

impl Cell for ID {
    fn of(cell: &Value, _: &Names) -> Option<Self> {
        id(cell).map(|id| Self(id.to_string()))
    }
}

impl Cell for DateTime {
    fn of(cell: &Value, names: &Names) -> Option<Self> {
        String::of(cell, names).map(Self)
    }
}

impl Cell for Date {
    fn of(cell: &Value, names: &Names) -> Option<Self> {
        String::of(cell, names).map(Self)
    }
}

impl Cell for NpiScalar {
    fn of(cell: &Value, names: &Names) -> Option<Self> {
        String::of(cell, names).map(Self)
    }
}

impl Cell for Vec<NpiScalar> {
    fn of(cell: &Value, names: &Names) -> Option<Self> {
        cell.as_array()?.iter().map(|item| NpiScalar::of(item, names)).collect()
    }
}

impl Cell for Position {
    fn of(cell: &Value, _: &Names) -> Option<Self> {
        cell.as_i64().map(Self)
    }
}

impl Cell for PersonReference {
    fn of(cell: &Value, names: &Names) -> Option<Self> {
        id(cell).map(|id| Self::new(id, names.people.get(&id).cloned()))
    }
}

impl Cell for OrganizationReference {
    fn of(cell: &Value, names: &Names) -> Option<Self> {
        id(cell).map(|id| Self::new(id, names.organizations.get(&id).cloned()))
    }
}
