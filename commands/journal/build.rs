//! Makes cargo notice a new migration: `sqlx::migrate!` sees only those that were there.

fn main() {
    println!("cargo:rerun-if-changed=../../migrations");
}
