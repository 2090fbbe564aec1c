export { default } from "../../../src/app/layout.tsx";
