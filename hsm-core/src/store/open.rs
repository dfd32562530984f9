//! Opening a store by its URL.
/// A store's URL.
pub enum StoreUrl {}
/// Opens.
pub fn open() {}
