export default {
  // `pnpm types` checks the types.
  typescript: { ignoreBuildErrors: true },
};
