//! Attributes of managed objects: the table of them (`table`), how versions write them (`form`), what an
//! object has (`read`), and how they change (`edit`).

pub mod edit;
pub mod form;
pub mod read;
pub mod table;

pub use edit::Editor;
pub use form::{Given, Which};
pub use read::Attributes;
