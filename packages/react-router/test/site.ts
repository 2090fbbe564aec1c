import * as router7 from "react-router";
import * as router8 from "react-router-8";

/** What loaders, actions and middleware of every version of React Router get. */
export interface Args {
  readonly request: Request;
  readonly context: { get<T>(context: { defaultValue?: T }): T };
}

interface RouteModule {
  readonly loader?: (args: Args) => unknown;
  readonly action?: (args: Args) => unknown;
}

export interface Site {
  readonly root: RouteModule;
  readonly page: RouteModule;
}

type Handler = (request: Request) => Promise<Response>;

interface Rendered {
  readonly staticHandlerContext: { readonly errors: object | null; readonly loaderData: object };
}

const has = (value: unknown): boolean => value !== undefined;

/** The server build of an application with a root and one page in it, which responds with the loaders' data. */
function buildOf({ root, page }: Site, middleware: unknown) {
  const routes = {
    root: { id: "root", path: "", module: { default: () => null, ...root, middleware } },
    page: { id: "page", path: "page", parentId: "root", module: { default: () => null, ...page } },
  };
  const entries = Object.values(routes).map(({ module, ...route }) => [
    route.id,
    {
      ...route,
      hasLoader: has(module.loader),
      hasAction: has(module.action),
      hasErrorBoundary: false,
      hasClientLoader: false,
      hasClientAction: false,
      hasClientMiddleware: false,
      hasDefaultExport: true,
      module: `/${route.id}.js`,
      clientActionModule: undefined,
      clientLoaderModule: undefined,
      clientMiddlewareModule: undefined,
      hydrateFallbackModule: undefined,
    },
  ]);
  return {
    entry: {
      module: {
        default: (
          _: Request,
          status: number,
          headers: Headers,
          { staticHandlerContext: context }: Rendered,
        ) => Response.json(context.errors ? {} : context.loaderData, { status, headers }),
        handleError: () => undefined,
      },
    },
    routes,
    assets: {
      entry: { imports: [], module: "/entry.js" },
      routes: Object.fromEntries(entries),
      url: "/manifest.js",
      version: "1",
    },
    publicPath: "/",
    assetsBuildDirectory: "build",
    future: { v8_middleware: true, v8_passThroughRequests: true, v8_trailingSlashAwareDataRequests: true },
    ssr: true,
    isSpaMode: false,
    prerender: [],
    routeDiscovery: { mode: "initial", manifestPath: "/__manifest" },
  };
}

const handlerOf = (createRequestHandler: unknown, site: Site, middleware: readonly unknown[]): Handler =>
  Reflect.apply(Object(createRequestHandler), undefined, [buildOf(site, middleware), "production"]);

/** Each version of React Router: its number, and a function that makes the handler of a site. */
export const versions: [string, (site: Site, middleware?: readonly unknown[]) => Handler][] = [
  ["7", (site, middleware = []) => handlerOf(router7.createRequestHandler, site, middleware)],
  ["8", (site, middleware = []) => handlerOf(router8.createRequestHandler, site, middleware)],
];
