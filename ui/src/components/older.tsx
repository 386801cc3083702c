/** Under a list that goes on: asks for its next page. */
import { Button } from "@mantine/core";

interface Pages {
  hasNextPage: boolean;
  isFetchingNextPage: boolean;
  fetchNextPage(): Promise<unknown>;
}

export function Older({ of: { hasNextPage, isFetchingNextPage, fetchNextPage } }: { of: Pages }) {
  if (!hasNextPage) return null;
  return (
    <div>
      <Button
        variant="default"
        size="compact-sm"
        loading={isFetchingNextPage}
        onClick={() => void fetchNextPage()}
      >
        Show older
      </Button>
    </div>
  );
}
