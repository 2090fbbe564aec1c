import { index, type RouteConfig, route } from "@react-router/dev/routes";

export default [index("shop.tsx"), route("cart.txt", "download.ts")] satisfies RouteConfig;
