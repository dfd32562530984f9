//! Attributes of managed objects: the table of them (`table`), how versions write them (`form`), what an
//! object has (`read`), how they change (`edit`), and which of several values is which in 1.x (`indexes`).

pub mod edit;
pub mod form;
pub mod indexes;
pub mod read;
pub mod table;

pub use edit::Editor;
pub use form::{Given, Which};
pub use indexes::Indexes;
pub use read::Attributes;
