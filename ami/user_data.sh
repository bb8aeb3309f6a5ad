#!/bin/sh
# What a studio is told when it boots for the first time; it starts as soon as the file is there.
# CloudFormation puts in what is in braces. A rehearsal sets VISUALNEURONS_ROOT to a folder of its own.
set -e
folder="$VISUALNEURONS_ROOT/etc/visualneurons"
mkdir -p "$folder"
cat > "$folder/environment.new" <<'END'
STACK=${AWS::StackName}
AWS_DEFAULT_REGION=${AWS::Region}
TABLE=${Studios}
TICKET_KEY=${TicketKey}
GALLERY=s3://${Gallery}/gallery?table=${GalleryTable}
GALLERY_DAYS=${GalleryDays}
GALLERY_GIGABYTES=${GalleryGigabytes}
EDGE=${Edge}
DEADLINE=${Longest}
IDLE_STOP=${IdleStop}
END
mv "$folder/environment.new" "$folder/environment"
