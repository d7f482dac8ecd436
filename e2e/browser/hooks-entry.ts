import { takeOver } from "./hooks-app.tsx";

takeOver();
