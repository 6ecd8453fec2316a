// SPDX-License-Identifier: Apache-2.0
// What a person keeps in a file, with the token that the page has.
import {download} from "./api.js";
import {tell} from "./dialogs.js";

/** What a click does: keep what is at the path, or tell why that does not go. */
export function save(path, query) {
  return (event) => {
    event.preventDefault();
    download(path, query).catch((error) => tell("This can’t be kept", error.message));
  };
}
