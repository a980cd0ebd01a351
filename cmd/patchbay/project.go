package main

import (
	"io"
	"strings"

	"github.com/patchbay-dev/patchbay"
)

type projectCmd struct {
	Show projectShowCmd `cmd:"" help:"Show the settings that are in force."`
	Set  projectSetCmd  `cmd:"" help:"Change settings."`
}

type projectShowCmd struct{ clientFlags }

// Run shows the settings of the project.
func (s *projectShowCmd) Run(c *console) error {
	client, err := s.client()
	if err != nil {
		return err
	}
	ctx, stop := interruptible()
	defer stop()
	settings, err := client.Project.Settings(ctx)
	if err != nil {
		return err
	}
	return c.showProject(settings)
}

type projectSetCmd struct {
	clientFlags
	DisplayName    *string  `placeholder:"NAME" help:"What Connect pages call the application."`
	LogoURL        *string  `name:"logo-url" placeholder:"URL" help:"Picture on Connect pages, over https."`
	AccentColor    *string  `placeholder:"#RRGGBB" help:"Colour of buttons and links on Connect pages."`
	LinkURL        *string  `name:"link-url" placeholder:"URL" help:"Put in front of /link/{token}; what is there redirects to the server."`
	VerifierURL    *string  `name:"verifier-url" placeholder:"URL" help:"Where users come after signing in, for the application to say who they are."`
	CallbackOrigin []string `placeholder:"ORIGIN" help:"The only origin (scheme, host and port) that links may lead back to; can be repeated, and replaces those before. \"\" allows all again."`
	MaskSecrets    *bool    `negatable:"" help:"Mask the credentials of accounts in all answers. --no-mask-secrets lets project keys read them."`
}

// Help says how a setting is given up.
func (projectSetCmd) Help() string {
	return "Only what is named changes. An empty text brings back what the server's operator chose for all projects: --logo-url \"\"."
}

// Run changes settings of the project.
func (s *projectSetCmd) Run(c *console) error {
	change := patchbay.ProjectChange{
		DisplayName: s.DisplayName, LogoURL: s.LogoURL, AccentColor: s.AccentColor, LinkURL: s.LinkURL, VerifierURL: s.VerifierURL,
		MaskSecrets: s.MaskSecrets,
	}
	if s.CallbackOrigin != nil {
		origins := []string{}
		for _, origin := range s.CallbackOrigin {
			if origin != "" {
				origins = append(origins, origin)
			}
		}
		change.CallbackOrigins = &origins
	}
	if change == (patchbay.ProjectChange{}) {
		return wrongUsage("it is not said what to change", "name a setting, for example --display-name")
	}
	client, err := s.client()
	if err != nil {
		return err
	}
	ctx, stop := interruptible()
	defer stop()
	settings, err := client.Project.Update(ctx, change)
	if err != nil {
		return err
	}
	return c.showProject(settings)
}

func (c *console) showProject(s patchbay.ProjectSettings) error {
	return c.show(s, func(w io.Writer) {
		secrets := "are masked in answers"
		if !s.MaskSecrets {
			secrets = "can be read with project keys"
		}
		fields(w, "display name", orText(s.DisplayName, "the project's name"), "logo", orText(s.LogoURL, "letters on a tile"),
			"accent colour", orText(s.AccentColor, "blue"), "link URL", orText(s.LinkURL, "the server's own"),
			"verifier URL", orText(s.VerifierURL, "nobody is asked"), "links lead back", orText(strings.Join(s.CallbackOrigins, "\n"), "anywhere"),
			"credentials", secrets)
	})
}
