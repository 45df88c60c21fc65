//! The archive of a bundle. Invariant: every file's hash is known when it is written.

use std::{
    collections::BTreeMap,
    io::{self, Seek, Write},
};

use rollcall_domain::hex;
use sha2::{Digest, Sha256};
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use super::BundleError;

/// An archive that knows the hash of each of its files.
pub(super) struct Archive<W: Write + Seek> {
    pub(super) zip: ZipWriter<W>,
    pub(super) hashes: BTreeMap<String, String>,
    current: Option<(String, Sha256)>,
}

impl<W: Write + Seek> Archive<W> {
    pub(super) fn new(out: W) -> Self {
        Self { zip: ZipWriter::new(out), hashes: BTreeMap::new(), current: None }
    }

    pub(super) fn begin(&mut self, name: &str) -> Result<(), BundleError> {
        self.end();
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Stored)
            .large_file(true);
        self.zip.start_file(name, options)?;
        self.current = Some((name.to_owned(), Sha256::new()));
        Ok(())
    }

    pub(super) fn file(&mut self, name: &str, content: &[u8]) -> Result<(), BundleError> {
        self.begin(name)?;
        self.write_all(content)?;
        self.end();
        Ok(())
    }

    fn end(&mut self) {
        if let Some((name, hash)) = self.current.take() {
            self.hashes.insert(name, hex(&hash.finalize()));
        }
    }
}

impl<W: Write + Seek> Write for Archive<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.zip.write(bytes)?;
        if let Some((_, hash)) = &mut self.current {
            hash.update(&bytes[..written]);
        }
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.zip.flush()
    }
}
