import { z } from "zod";
import { CURSOR } from "./cursor.ts";

export const CursorSchema = z
  .string()
  .regex(CURSOR, "Must be the id of an event that this stream sent, or 0 for everything");
