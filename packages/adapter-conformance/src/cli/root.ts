/** The kit's own code: `src` here, and the whole package where it is installed. */
export const ROOT: URL = new URL("..", import.meta.url);
