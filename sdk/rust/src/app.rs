//! The handler: routes, and what happens with WebSockets and the alarm.

use crate::{IntoResponse, Request, Response, route::Pattern, websocket::WebSockets};

type Handler = Box<dyn Fn(&Request) -> Response>;
type Alarm = Box<dyn Fn(u32) -> Result<(), String>>;

/// What a module does. Routes are tried in the order in which they were given.
#[derive(Default)]
pub struct App {
    routes: Vec<Route>,
    fallback: Option<Handler>,
    pub(crate) sockets: Option<Box<dyn WebSockets>>,
    pub(crate) alarm: Option<Alarm>,
}

struct Route {
    method: String,
    pattern: Pattern,
    handler: Handler,
}

macro_rules! methods {
    ($($name:ident $method:literal),*) => {
        $(
            #[doc = concat!("A route for ", $method, ", as [`App::route`] has them.")]
            #[must_use]
            pub fn $name<R: IntoResponse>(self, pattern: &str, handler: impl Fn(&Request) -> R + 'static) -> Self {
                self.route($method, pattern, handler)
            }
        )*
    };
}

impl App {
    /// One that answers 404 to everything, takes no WebSocket and fails alarms.
    pub fn new() -> Self {
        Self::default()
    }

    methods!(get "GET", post "POST", put "PUT", patch "PATCH", delete "DELETE");

    /// A route. `/kv/{name}` takes one part of a path, `/files/{path...}` all that is left;
    /// [`Request::param`] has them. A route for GET takes HEAD, too. A path that has routes, but none
    /// for its method, is answered with 405.
    ///
    /// # Panics
    /// If the pattern does not begin with `/` or goes on behind all that is left.
    #[must_use]
    pub fn route<R: IntoResponse>(
        mut self,
        method: &str,
        pattern: &str,
        handler: impl Fn(&Request) -> R + 'static,
    ) -> Self {
        self.routes.push(Route {
            method: method.to_owned(),
            pattern: Pattern::new(pattern),
            handler: Box::new(move |request| handler(request).into_response()),
        });
        self
    }

    /// What answers where no route has the path, instead of 404.
    #[must_use]
    pub fn fallback<R: IntoResponse>(mut self, handler: impl Fn(&Request) -> R + 'static) -> Self {
        self.fallback = Some(Box::new(move |request| handler(request).into_response()));
        self
    }

    /// What happens with the objects' WebSockets. Without it, all are refused.
    #[must_use]
    pub fn websockets(mut self, sockets: impl WebSockets + 'static) -> Self {
        self.sockets = Some(Box::new(sockets));
        self
    }

    /// What runs when the object's alarm is due. An error lets it run again later; the handler gets
    /// how often it has failed before.
    #[must_use]
    pub fn alarm<E: ToString>(mut self, handler: impl Fn(u32) -> Result<(), E> + 'static) -> Self {
        self.alarm = Some(Box::new(move |failures| {
            handler(failures).map_err(|error| error.to_string())
        }));
        self
    }

    /// The answer to a request.
    pub(crate) fn answer(&self, mut request: Request) -> Response {
        let mut allowed = Vec::new();
        for route in &self.routes {
            let Some(params) = route.pattern.params(request.path()) else {
                continue;
            };
            if route.takes(&request.method) {
                request.params = params;
                return (route.handler)(&request);
            }
            allowed.push(&*route.method);
        }
        match &self.fallback {
            _ if !allowed.is_empty() => Response::method_not_allowed(&allowed),
            Some(fallback) => fallback(&request),
            None => Response::not_found(),
        }
    }
}

impl Route {
    fn takes(&self, method: &str) -> bool {
        self.method == method || self.method == "GET" && method == "HEAD"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::headers;

    fn ask(app: &App, method: &str, target: &str) -> (u16, String) {
        let request = Request {
            method: method.to_owned(),
            target: target.to_owned(),
            ..Request::default()
        };
        let response = app.answer(request);
        (
            response.status,
            format!(
                "{}{}",
                headers::lines(&response.headers).unwrap(),
                String::from_utf8_lossy(&response.body)
            ),
        )
    }

    #[test]
    fn a_path_without_its_method_says_which_it_has() {
        let app = App::new()
            .get("/a", |_: &Request| "get")
            .put("/{any}", |_: &Request| "put");
        let (status, text) = ask(&app, "DELETE", "/a?x=1");
        assert_eq!(
            (status, &*text),
            (405, "allow: GET, PUT\nmethod not allowed")
        );
        assert_eq!(ask(&app, "GET", "/b").0, 405);
        assert_eq!(ask(&app, "GET", "/b/c").0, 404);
    }

    #[test]
    fn the_first_route_that_fits_answers() {
        let app = App::new()
            .get("/a", |_: &Request| "first")
            .get("/{any}", |request: &Request| {
                request.param("any").to_owned()
            })
            .fallback(|request: &Request| format!("none for {}", request.path()));
        assert_eq!(ask(&app, "GET", "/a").1, "first");
        assert_eq!(ask(&app, "HEAD", "/b").1, "b");
        assert_eq!(ask(&app, "GET", "/b/c").1, "none for /b/c");
    }
}
