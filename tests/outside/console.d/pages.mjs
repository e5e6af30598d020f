// Every page of the console: what is looked at, photographed and weighed.
import { month, server } from './browser.mjs';

/** Pages of somebody who is signed in as an administrator; `name` is also the picture's. */
export const PAGES = [
  { name: 'overview', path: '/' },
  { name: 'report', path: `/report?server=${server}&month=${month}` },
  { name: 'usage', path: `/usage?server=${server}` },
  { name: 'license', path: `/license?server=${server}` },
  { name: 'billing', path: `/billing?month=${month}` },
  { name: 'servers', path: '/servers' },
  { name: 'telemetry', path: `/telemetry?server=${server}` },
  { name: 'journal', path: '/journal' },
  { name: 'settings', path: '/settings' },
  { name: 'users', path: '/users' },
  { name: 'api', path: '/api' },
];

/** The page before somebody is signed in. */
export const SIGN_IN = { name: 'sign-in', path: '/sign-in' };

/** Most that a first load may weigh, in bytes as they come over the wire. */
export const WEIGHT_MAX = 300 * 1024;

export const DESKTOP = { viewport: { width: 1280, height: 800 } };
export const PHONE = { viewport: { width: 360, height: 780 }, isMobile: true, hasTouch: true, deviceScaleFactor: 1 };

/** The links of the navigation that everybody has. */
export const NAVIGATION = ['Overview', 'Report', 'Usage', 'License', 'Billing', 'Servers', 'Telemetry', 'Journal', 'Settings'];
