//! The tree (RFC 6962, section 2) in tiles of 256 hashes (C2SP tlog-tiles, height 8).
//!
//! Invariant: a tile only ever gains hashes at its end, so what was read from one holds for every
//! larger tree.

use std::{cell::RefCell, collections::BTreeMap};

use tlog_tiles::{
    Hash, HashReader, Tile,
    tlog::{self, Error, node_hash},
};

/// Levels of the tree in one tile.
const HEIGHT: u8 = 8;
/// Hashes in a full tile.
const FULL: usize = 1 << HEIGHT;

/// Which tile: its level and its place in that level, both from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TileId {
    pub level: u8,
    pub index: u64,
}

/// The right edge of a tree: all that is needed to add leaves and to know the root.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Edge {
    size: u64,
    /// The hashes of each level's last tile while it is not full.
    levels: Vec<Vec<Hash>>,
}

impl Edge {
    /// The tiles that make up the edge of a tree of this size; none where a level ends with a full
    /// tile.
    pub fn tiles_of(size: u64) -> impl Iterator<Item = TileId> {
        (0..)
            .map_while(move |level: u8| {
                let hashes = size.checked_shr(u32::from(HEIGHT * level)).unwrap_or(0);
                (hashes > 0).then_some((level, hashes))
            })
            .filter(|(_, hashes)| hashes % FULL as u64 > 0)
            .map(|(level, hashes)| TileId { level, index: hashes / FULL as u64 })
    }

    /// The edge of a tree of this size, out of its last tiles; `None` where they do not reach it.
    #[must_use]
    pub fn resume(size: u64, tiles: &BTreeMap<TileId, Vec<u8>>) -> Option<Self> {
        let mut edge = Self { size, levels: Vec::new() };
        for id in Self::tiles_of(size) {
            let width = (size >> (HEIGHT * id.level)) as usize % FULL;
            let hashes = hashes(tiles.get(&id)?);
            edge.levels.resize(usize::from(id.level) + 1, Vec::new());
            edge.levels[usize::from(id.level)] = hashes.get(..width)?.to_vec();
        }
        Some(edge)
    }

    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Adds leaves and gives every tile that changed, as it stands now.
    pub fn extend(&mut self, leaves: impl IntoIterator<Item = Hash>) -> BTreeMap<TileId, Vec<u8>> {
        let mut changed = BTreeMap::new();
        let before = self.size;
        for leaf in leaves {
            self.push(0, leaf, &mut changed);
            self.size += 1;
        }
        for id in Self::tiles_of(self.size) {
            if before >> (HEIGHT * id.level) != self.size >> (HEIGHT * id.level) {
                changed.insert(id, bytes(&self.levels[usize::from(id.level)]));
            }
        }
        changed
    }

    fn push(&mut self, level: u8, hash: Hash, full: &mut BTreeMap<TileId, Vec<u8>>) {
        let at = usize::from(level);
        if self.levels.len() <= at {
            self.levels.resize(at + 1, Vec::new());
        }
        self.levels[at].push(hash);
        if self.levels[at].len() == FULL {
            let tile = std::mem::take(&mut self.levels[at]);
            full.insert(TileId { level, index: self.size >> (HEIGHT * (level + 1)) }, bytes(&tile));
            self.push(level + 1, perfect(&tile), full);
        }
    }

    /// The tree's root hash.
    #[must_use]
    pub fn root(&self) -> Hash {
        let mut root = None;
        for hashes in &self.levels {
            // From the right: perfect subtrees, the smallest first.
            let mut rest = hashes.as_slice();
            while !rest.is_empty() {
                let smallest = 1 << rest.len().trailing_zeros();
                let (left, subtree) = rest.split_at(rest.len() - smallest);
                let hash = perfect(subtree);
                root = Some(root.map_or(hash, |right| node_hash(hash, right)));
                rest = left;
            }
        }
        root.unwrap_or(tlog::EMPTY_HASH)
    }
}

/// A tree known by its perfect subtrees only, the largest first: enough to add leaves to it and to
/// know its root.
#[derive(Clone, Debug, PartialEq)]
pub struct Frontier {
    size: u64,
    subtrees: Vec<Hash>,
}

impl Frontier {
    /// `None` unless there are as many subtrees as a tree of this size has.
    #[must_use]
    pub fn resume(size: u64, subtrees: Vec<Hash>) -> Option<Self> {
        (subtrees.len() == size.count_ones() as usize).then_some(Self { size, subtrees })
    }

    /// The places of a tree's perfect subtrees in the order of [`Frontier::resume`].
    #[must_use]
    pub fn indexes(size: u64) -> Vec<u64> {
        if size == 0 { Vec::new() } else { tlog::sub_tree_index(0, size, Vec::new()) }
    }

    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    pub fn push(&mut self, leaf: Hash) {
        let merged = self.size.trailing_ones() as usize;
        let right = self.subtrees.split_off(self.subtrees.len() - merged);
        let hash = right.into_iter().rev().fold(leaf, |right, left| node_hash(left, right));
        self.subtrees.push(hash);
        self.size += 1;
    }

    #[must_use]
    pub fn root(&self) -> Hash {
        let folded =
            self.subtrees.iter().rev().copied().reduce(|right, left| node_hash(left, right));
        folded.unwrap_or(tlog::EMPTY_HASH)
    }
}

/// The root over 2^n hashes.
fn perfect(hashes: &[Hash]) -> Hash {
    match hashes {
        [only] => *only,
        many => {
            let (left, right) = many.split_at(many.len() / 2);
            node_hash(perfect(left), perfect(right))
        }
    }
}

fn bytes(hashes: &[Hash]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| hash.0).collect()
}

fn hashes(bytes: &[u8]) -> Vec<Hash> {
    bytes.as_chunks::<{ tlog::HASH_SIZE }>().0.iter().map(|hash| Hash(*hash)).collect()
}

/// Tiles that were read, and those that were asked for and are not there yet.
#[derive(Default)]
pub struct Tiles {
    pub known: BTreeMap<TileId, Vec<u8>>,
    missing: RefCell<Vec<TileId>>,
}

/// The tiles of leaves from `first` to `last`.
pub fn leaf_tiles(first: u64, last: u64) -> impl Iterator<Item = TileId> {
    (first / FULL as u64..=last / FULL as u64).map(|index| TileId { level: 0, index })
}

impl HashReader for Tiles {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<Hash>, Error> {
        let found: Vec<_> = indexes.iter().map(|&index| self.hash(index)).collect();
        found.into_iter().collect::<Option<_>>().ok_or(Error::IndexesNotInTree)
    }
}

impl Tiles {
    #[must_use]
    pub fn of(known: BTreeMap<TileId, Vec<u8>>) -> Self {
        Self { known, missing: RefCell::default() }
    }

    fn hash(&self, index: u64) -> Option<Hash> {
        let tile = Tile::from_index(HEIGHT, index);
        let id = TileId { level: tile.level(), index: tile.level_index() };
        let found = self.known.get(&id).and_then(|bytes| tile.hash_at_index(bytes, index).ok());
        if found.is_none() && !self.known.contains_key(&id) {
            self.missing.borrow_mut().push(id);
        }
        found
    }

    /// A leaf's hash, where its tile is known.
    #[must_use]
    pub fn leaf(&self, index: u64) -> Option<Hash> {
        self.hash(tlog::stored_hash_index(0, index))
    }

    /// The tiles that the last question lacked.
    pub fn take_missing(&self) -> Vec<TileId> {
        let mut missing = self.missing.take();
        missing.sort_unstable();
        missing.dedup();
        missing
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Roots of the trees of 0 to 8 of `LEAVES` (transparency-dev/merkle, testonly/constants.go).
    const ROOTS: [&str; 9] = [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];
    const LEAVES: [&[u8]; 8] = [
        b"",
        b"\x00",
        b"\x10",
        b"\x20\x21",
        b"\x30\x31",
        b"\x40\x41\x42\x43",
        b"\x50\x51\x52\x53\x54\x55\x56\x57",
        b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
    ];

    fn leaf(n: u64) -> Hash {
        tlog::record_hash(&n.to_be_bytes())
    }

    /// A tree grown in steps of these sizes, and all its tiles.
    fn grown(steps: &[u64]) -> (Edge, Tiles) {
        let (mut edge, mut tiles) = (Edge::default(), Tiles::default());
        for step in steps {
            let size = edge.size();
            // As after a restart: from what is stored.
            let mut resumed = Edge::resume(size, &tiles.known).expect("its tiles are there");
            assert_eq!(resumed.root(), edge.root());
            tiles.known.extend(resumed.extend((size..size + step).map(leaf)));
            edge = resumed;
        }
        (edge, tiles)
    }

    #[test]
    fn the_eight_public_leaves_have_the_public_roots() {
        let mut edge = Edge::default();
        for (size, root) in ROOTS.iter().enumerate() {
            assert_eq!(rollcall_domain::hex(&edge.root().0), *root, "size {size}");
            edge.extend(LEAVES.get(size).map(|leaf| tlog::record_hash(leaf)));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

        #[test]
        fn every_leaf_and_every_earlier_tree_is_proven(
            steps in prop::collection::vec(1_u64..700, 1..5), a in any::<u64>(), b in any::<u64>(),
        ) {
            let (edge, tiles) = grown(&steps);
            let size = edge.size();
            prop_assert_eq!(tlog::tree_hash(size, &tiles).unwrap(), edge.root());
            let (n, earlier) = (a % size, b % size + 1);
            let proof = tlog::prove_record(size, n, &tiles).unwrap();
            prop_assert!(tlog::check_record(&proof, size, edge.root(), n, leaf(n)).is_ok());
            prop_assert!(tlog::check_record(&proof, size, edge.root(), n, leaf(n + 1)).is_err());
            let old = tlog::tree_hash(earlier, &tiles).unwrap();
            let proof = tlog::prove_tree(size, earlier, &tiles).unwrap();
            prop_assert!(tlog::check_tree(&proof, size, edge.root(), earlier, old).is_ok());
            let subtrees = tiles.read_hashes(&Frontier::indexes(earlier)).unwrap();
            let mut frontier = Frontier::resume(earlier, subtrees).unwrap();
            prop_assert_eq!(frontier.root(), old);
            (earlier..size).for_each(|n| frontier.push(leaf(n)));
            prop_assert_eq!(frontier.root(), edge.root());
            if earlier < size {
                // No subtree has this root: it is a leaf that was never appended.
                prop_assert!(tlog::check_tree(&proof, size, edge.root(), earlier, leaf(size)).is_err());
            }
        }
    }

    #[test]
    fn a_tree_of_three_levels_of_tiles_is_resumed_and_proven() {
        let (edge, tiles) = grown(&[65_536, 1, 255, 256, 3]);
        assert_eq!(edge.size(), 66_051);
        assert_eq!(tlog::tree_hash(66_051, &tiles).unwrap(), edge.root());
        let proof = tlog::prove_record(66_051, 65_535, &tiles).unwrap();
        assert!(tlog::check_record(&proof, 66_051, edge.root(), 65_535, leaf(65_535)).is_ok());
    }

    #[test]
    fn a_proof_says_which_tiles_it_lacks() {
        let (edge, all) = grown(&[1_000]);
        let mut tiles = Tiles::default();
        let proof = loop {
            match tlog::prove_record(1_000, 300, &tiles) {
                Ok(proof) => break proof,
                Err(_) => {
                    let missing = tiles.take_missing();
                    assert!(!missing.is_empty());
                    tiles.known.extend(missing.into_iter().map(|id| (id, all.known[&id].clone())));
                }
            }
        };
        assert!(tlog::check_record(&proof, 1_000, edge.root(), 300, leaf(300)).is_ok());
    }
}
