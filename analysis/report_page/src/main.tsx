import { createRoot } from "react-dom/client";
import "@xyflow/react/dist/base.css";
import "./page.css";
import { App } from "./app";

const root = document.getElementById("page");
if (root) createRoot(root).render(<App />);
