// SPDX-License-Identifier: Apache-2.0
// Holds the document on standard input (JSON) against the schema of its kind.
import {readFileSync} from "node:fs";
import {createRequire} from "node:module";

const require = createRequire(import.meta.url);
const document = JSON.parse(readFileSync(0, "utf-8"));
const packages = {"monitoring.coreos.com/v1": "@kubernetes-models/prometheus-operator"};
const {[document.kind]: Kind} =
    require(`${packages[document.apiVersion] ?? "kubernetes-models"}/${document.apiVersion}/${document.kind}`);
new Kind(document).validate();
