export default {
  // `pnpm types` looks at them.
  typescript: { ignoreBuildErrors: true },
};
