/** The promises' headings in SPEC.md, in order. */
export const PROMISES: Readonly<Record<string, string>> = {
  H1: "A write is stored before the client can ask again",
  H2: "No cookie without need",
  H3: "A response is whole, whatever a middleware does",
  H4: "An error response drops a login",
  H5: "No shared cache keeps a cookie or a visitor's page",
  H6: "A cross-site request begins no session",
  H7: "Bodies, streams and clients that disconnect",
  H8: "One read, and at most one write",
  H9: "The cookie is secure over https",
  H10: "Down is not logged out",
  H11: "A late write is stored or dropped, and harms nothing",
  H12: "Sessions do not mix, and may be wrapped",
  H13: "A login, a rotation and a logout replace the cookie",
  H14: "A request keeps its session alive",
};
