//! A router in whose place another one is put while it is served.

use std::sync::{Arc, PoisonError, RwLock};

use axum::Router;
use axum::extract::Request;
use axum::response::IntoResponse;
use tower::ServiceExt;

/// What is served now; clones share it. A request is answered by the router that it began with.
#[derive(Clone)]
pub struct Exchange(Arc<RwLock<Router>>);

impl Exchange {
    pub fn new(router: Router) -> Exchange {
        Exchange(Arc::new(RwLock::new(router)))
    }

    /// Requests that come from now on are answered by this one.
    pub fn put(&self, router: Router) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = router;
    }

    /// For a listener: passes everything on.
    pub fn router(&self) -> Router {
        let exchange = self.clone();
        Router::new().fallback(move |request: Request| {
            let router = exchange.0.read().unwrap_or_else(PoisonError::into_inner).clone();
            async move { router.oneshot(request).await.into_response() }
        })
    }
}
