//! What a parsed document asks for, counted through its fragments.
//!
//! Invariant: each fragment is weighed once, and never deeper than the nesting limit, so weighing
//! is linear however often fragments spread one another.

use std::collections::HashMap;

use async_graphql::{
    Name,
    parser::types::{ExecutableDocument, Selection, SelectionSet},
};

/// Sizes of a selection set with all its fragments spread. Counts saturate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Weight {
    /// Fields, spreads, inline fragments and directives.
    pub selections: usize,
    /// Fields under another name.
    pub aliases: usize,
    /// Fields of the outermost level.
    pub root_fields: usize,
    /// Levels of fields.
    pub depth: usize,
    /// Levels of fields, fragments and inline fragments.
    pub nesting: usize,
}

impl Weight {
    /// The larger of both in every respect.
    fn max(self, other: Self) -> Self {
        Self {
            selections: self.selections.max(other.selections),
            aliases: self.aliases.max(other.aliases),
            root_fields: self.root_fields.max(other.root_fields),
            depth: self.depth.max(other.depth),
            nesting: self.nesting.max(other.nesting),
        }
    }

    fn add(&mut self, inner: Self, directives: usize) {
        self.selections = self.selections.saturating_add(inner.selections + 1 + directives);
        self.aliases = self.aliases.saturating_add(inner.aliases);
        self.root_fields = self.root_fields.saturating_add(inner.root_fields);
        self.depth = self.depth.max(inner.depth);
        self.nesting = self.nesting.max(inner.nesting + 1);
    }

    /// Caps the counts well above any limit, so that sums of sums cannot overflow.
    fn capped(self) -> Self {
        const CAP: usize = 1 << 30;
        Self {
            selections: self.selections.min(CAP),
            aliases: self.aliases.min(CAP),
            root_fields: self.root_fields.min(CAP),
            ..self
        }
    }
}

/// Why a document cannot be weighed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Unweighable {
    /// The fragment spreads itself, directly or through others.
    Cycle(String),
    /// Nested deeper than allowed.
    TooDeep,
}

/// Weighs the heaviest operation of `document`; fragments that no operation uses count too, since
/// validation walks them.
pub(super) fn weigh(
    document: &ExecutableDocument,
    max_nesting: usize,
) -> Result<Weight, Unweighable> {
    let mut scale = Scale { document, max_nesting, known: HashMap::new() };
    let mut heaviest = Weight::default();
    for name in document.fragments.keys() {
        // The root fields of a fragment matter only where an operation spreads it there.
        heaviest = heaviest.max(Weight { root_fields: 0, ..scale.fragment(name, 0)? });
    }
    for (_, operation) in document.operations.iter() {
        let weight = scale.set(&operation.node.selection_set.node, 0)?;
        heaviest = heaviest.max(weight);
    }
    if heaviest.nesting > max_nesting { Err(Unweighable::TooDeep) } else { Ok(heaviest) }
}

struct Scale<'a> {
    document: &'a ExecutableDocument,
    max_nesting: usize,
    /// `None` while the fragment is being weighed.
    known: HashMap<&'a Name, Option<Weight>>,
}

impl<'a> Scale<'a> {
    fn set(&mut self, set: &'a SelectionSet, level: usize) -> Result<Weight, Unweighable> {
        if level > self.max_nesting {
            return Err(Unweighable::TooDeep);
        }
        let mut weight = Weight::default();
        for selection in &set.items {
            let directives = selection.node.directives().len();
            match &selection.node {
                Selection::Field(field) => {
                    let inner = self.set(&field.node.selection_set.node, level + 1)?;
                    let field = Weight {
                        aliases: inner.aliases + usize::from(field.node.alias.is_some()),
                        root_fields: 1,
                        depth: inner.depth + 1,
                        ..inner
                    };
                    weight.add(field, directives);
                }
                Selection::InlineFragment(inline) => {
                    let inner = self.set(&inline.node.selection_set.node, level + 1)?;
                    weight.add(inner, directives);
                }
                Selection::FragmentSpread(spread) => {
                    let inner = self.fragment(&spread.node.fragment_name.node, level + 1)?;
                    weight.add(inner, directives);
                }
            }
        }
        Ok(weight.capped())
    }

    fn fragment(&mut self, name: &Name, level: usize) -> Result<Weight, Unweighable> {
        // An unknown fragment weighs nothing; validation refuses it.
        let Some((name, fragment)) = self.document.fragments.get_key_value(name) else {
            return Ok(Weight::default());
        };
        match self.known.get(name) {
            Some(Some(weight)) => return Ok(*weight),
            Some(None) => return Err(Unweighable::Cycle(name.to_string())),
            None => {}
        }
        self.known.insert(name, None);
        let weight = self.set(&fragment.node.selection_set.node, level)?;
        if weight.nesting > self.max_nesting {
            return Err(Unweighable::TooDeep);
        }
        self.known.insert(name, Some(weight));
        Ok(weight)
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;

    use super::*;

    fn weight(document: &str) -> Result<Weight, Unweighable> {
        weigh(&parse_query(document).expect("a document of this test"), 32)
    }

    #[test]
    fn counts_go_through_fragments_and_inline_fragments() {
        let found = weight("{ a: x ...F ... on Q { c: z { d: w } } } fragment F on Q { b: y }");
        assert_eq!(
            found,
            Ok(Weight { selections: 6, aliases: 4, root_fields: 3, depth: 2, nesting: 3 })
        );
    }

    #[test]
    fn a_fragment_bomb_is_counted_without_being_unfolded() {
        let mut document = String::from("{ ...F0 }");
        for level in 0..30 {
            document += &format!(" fragment F{level} on Q {{ ...F{0} ...F{0} }}", level + 1);
        }
        document += " fragment F30 on Q { a: __typename }";
        let found = weight(&document).expect("no cycle");
        assert_eq!(found.aliases, 1 << 30);
    }

    #[test]
    fn cycles_and_long_chains_end() {
        let cycle = "{ ...A } fragment A on Q { ...B ...B } fragment B on Q { ...A }";
        assert!(matches!(weight(cycle), Err(Unweighable::Cycle(_))));

        let chain: String =
            (0..20_000).map(|n| format!("fragment F{n} on Q {{ ...F{} }} ", n + 1)).collect();
        assert_eq!(weight(&format!("{{ a }} {chain}")), Err(Unweighable::TooDeep));
    }
}
