//! What is mailed, texted and printed, and how it reads (requirements, section 6).
//!
//! Invariant: a message is planned with ids only; addresses, links and codes come in when it is
//! rendered, and no message holds anything about a patient.

mod addressee;
mod causes;
mod plan;
mod render;
mod template;
mod wording;

pub use addressee::{Address, Addressee};
pub use causes::caused_by;
pub(crate) use causes::frequencies;
pub use plan::{Link, Particulars, Passcode, Planned};
pub use render::{RenderError, Rendered, Renderer, Unsendable};
pub use template::Template;
