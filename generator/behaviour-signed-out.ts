/** Behaviour of users who are signed out or not yet registered. */
import type { Follows } from './follows.ts';

export const SIGNED_OUT_FREE: Follows = {
  Home: { end: 0.208, About: 0.1, Home: 0.0985, Help: 0.049, Error: 0.001, rest: 'Login' },
  About: { Home: 0.302, end: 0.185, About: 0.05, Help: 0.027, rest: 'Login' },
  Help: { Home: 0.285, Help: 0.1, end: 0.07, rest: 'Login' },
  Error: { Login: 0.15, end: 0.25, Help: 0.1, rest: 'Home' },
  Login: { Error: 0.001, rest: 'Home' },
};

export const SIGNED_OUT_PAID: Follows = {
  Home: { Home: 0.15, About: 0.0945, end: 0.0485, Help: 0.0495, Error: 0.001, rest: 'Login' },
  About: { Home: 0.297, end: 0.097, About: 0.05, Help: 0.0465, Error: 0.002, rest: 'Login' },
  Help: { Home: 0.305, Help: 0.1, end: 0.084, rest: 'Login' },
  Error: { Login: 0.18, end: 0.02, Help: 0.06, rest: 'Home' },
  Login: { Error: 0.001, rest: 'Home' },
};

export const GUEST: Follows = {
  Home: { Help: 0.22, About: 0.22, Home: 0.06, Error: 0.01, end: 0.2, rest: 'Register' },
  About: { About: 0.04, Help: 0.07, Register: 0.07, end: 0.1, rest: 'Home' },
  Help: { Register: 0.2, About: 0.05, Help: 0.06, end: 0.07, rest: 'Home' },
  Register: { Home: 0.17, About: 0.08, Help: 0.06, Register: 0.05, end: 0.03, rest: 'Submit Registration' },
  Error: { end: 0.2, rest: 'Home' },
  'Submit Registration': { rest: 'Home' },
};
