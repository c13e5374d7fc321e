// Sheets are bundled, not read.
declare module "*.css";
