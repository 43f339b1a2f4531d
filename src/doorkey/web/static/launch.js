// Keeps the key that came in the fragment, tells the other tabs of this browser, and leaves the one-time address.
const key = new URLSearchParams(location.hash.slice(1)).get("key");
if (key) {
  sessionStorage.setItem("doorkey-key", key);
  new BroadcastChannel("doorkey").postMessage({ key });
}
location.replace("/");
