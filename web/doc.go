// Package web renders the pages that people see in a browser: the Connect pages (a link's form, the way back from the provider,
// how it ended), those on which a person signs in, lets a program use their tools and ends that again, and the logos of toolkits.
//
// It owns templates, styles, cookies and the security headers of pages. It decides nothing about connections and grants: packages
// connect and authserver say what to show and where to go next. Pages work without scripts, and have none.
package web
