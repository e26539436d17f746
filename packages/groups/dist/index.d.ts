export type * from "./api.js";
export { Group } from "./group.js";
export { identify } from "./identify.js";
export { Replica } from "./replica.js";
