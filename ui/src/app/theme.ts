/** Mantine in our palette. Its own default fails on contrast, so every colour in use is set. */
import {
  type CSSVariablesResolver,
  createTheme,
  defaultVariantColorsResolver,
  type MantineColorsTuple,
  type VariantColorsResolver,
} from "@mantine/core";

/** From light to dark; the ends are never used as text. */
const accent: MantineColorsTuple = [
  "#eaf1fb",
  "#d6e4f7",
  "#b3cdf0",
  "#7db1ff",
  "#4f8ade",
  "#2f70cf",
  "#1f5fbf",
  "#1a51a3",
  "#154386",
  "#10346a",
];

/** Mantine chooses the text of filled buttons by the shade of the light scheme, also in the dark one. */
const variantColorResolver: VariantColorsResolver = (input) => {
  const colors = defaultVariantColorsResolver(input);
  const isAccent = !input.color || input.color === "accent";
  return input.variant === "filled" && isAccent ? { ...colors, color: "var(--on-accent)" } : colors;
};

export const theme = createTheme({
  variantColorResolver,
  primaryColor: "accent",
  primaryShade: { light: 6, dark: 3 },
  colors: { accent },
  autoContrast: true,
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, sans-serif',
  fontFamilyMonospace: "ui-monospace, SFMono-Regular, Menlo, Consolas, monospace",
  fontSizes: { xs: "12px", sm: "14px", md: "14px", lg: "16px", xl: "20px" },
  defaultRadius: 5,
  respectReducedMotion: true,
  cursorType: "pointer",
  components: {
    // Its element alone would be a second banner of the page.
    ModalHeader: { defaultProps: { role: "presentation" } },
    ModalCloseButton: { defaultProps: { "aria-label": "Close" } },
    // The first item takes the focus: an element between menu and items would be none of a menu.
    Menu: { defaultProps: { withInitialFocusPlaceholder: false } },
  },
});

/** What Mantine's components take from the palette. */
export const resolver: CSSVariablesResolver = () => {
  const ours = {
    "--mantine-color-body": "var(--page)",
    "--mantine-color-text": "var(--text)",
    "--mantine-color-dimmed": "var(--muted)",
    "--mantine-color-placeholder": "var(--muted)",
    "--mantine-color-error": "var(--critical)",
    "--mantine-color-default": "var(--page)",
    "--mantine-color-default-hover": "var(--panel)",
    "--mantine-color-default-color": "var(--text)",
    "--mantine-color-default-border": "var(--muted)",
    "--mantine-color-anchor": "var(--accent)",
  };
  return {
    variables: {},
    // Borders of fields: 3 : 1 on the page.
    light: { ...ours, "--mantine-color-gray-4": "var(--muted)" },
    dark: {
      ...ours,
      "--mantine-color-dark-4": "var(--muted)",
      "--mantine-color-dark-5": "var(--hairline)",
      "--mantine-color-dark-6": "var(--panel)",
      "--menu-item-hover": "var(--hairline)",
    },
  };
};
